"""A model on disk: `card.json` and `weights.safetensors`, perhaps with a gate. Nothing is pickled.

Weights of models that are trained here are kept in fp16; those that were brought from elsewhere as they came.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from medcam.core.card import ModelCard
from medcam.core.errors import InvalidValueError, ModelError
from medcam.models.card_json import card_to_json
from medcam.models.cards import AGAIN, read_card_file
from medcam.models.classifier import GapClassifier, build_classifier
from medcam.models.gate import Gate
from medcam.models.known import CARD
from medcam.models.loaded import LoadedModel

WEIGHTS = "weights.safetensors"
GATE = "gate."
"""What the names of the gate's tensors begin with."""


def halve(classifier: GapClassifier) -> None:
    """Rounds the weights to fp16 in place (and back to fp32), so that what is measured is what is saved.

    Raises:
        ModelError: A weight is not a number, or too large for fp16 (code "broken-weights").
    """
    with torch.no_grad():
        for value in classifier.state_dict().values():
            value.copy_(_stored(value))


def save_model(
    folder: Path, classifier: GapClassifier, card: ModelCard, gate: Gate | None = None, *, half: bool = True
) -> ModelCard:
    """Writes a model folder; the card comes last and makes it complete.

    Args:
        folder: Where to; made if absent.
        classifier: The network; call `halve` first where the figures on the card must be those of the saved weights.
        card: Its card; the digest is filled in.
        gate: Its gate, None for none.
        half: Keeps the weights in fp16, half as large; otherwise in fp32.

    Returns:
        The card with the digest of weights and gate.

    Raises:
        ModelError: A weight is not a number, or too large for fp16 (code "broken-weights").
    """
    tensors = {
        name: (_stored(value) if half else value).contiguous().cpu()
        for name, value in classifier.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    if gate is not None:
        parts = {"mean": gate.mean, "whitening": gate.whitening}
        tensors |= {GATE + name: torch.from_numpy(np.array(values)) for name, values in parts.items()}
    data = save_tensors(tensors)
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / WEIGHTS, data)
    complete = replace(card, weights_sha256=hashlib.sha256(data).hexdigest())
    _write(folder / CARD, card_to_json(complete).encode("utf-8"))
    return complete


def load_folder(folder: Path) -> LoadedModel:
    """Loads a model folder and checks the weights against the card's digest.

    Raises:
        ModelError: It is no model ("no-such-model"), damaged ("broken-card", "broken-weights"), or its weights are
            not those that the card describes ("weights-digest").
    """
    card = read_card_file(folder)
    data = _weights(folder, card)
    classifier = _network(card)
    try:
        tensors = {name: value.float() for name, value in load_tensors(data).items()}
        parts = {name.removeprefix(GATE): value.numpy() for name, value in tensors.items() if name.startswith(GATE)}
        state = {name: value for name, value in tensors.items() if not name.startswith(GATE)}
        missing, unexpected = classifier.load_state_dict(state, strict=False)
        gate = Gate(**parts) if parts else None
    except (SafetensorError, RuntimeError, TypeError, InvalidValueError) as error:
        raise _misfit(card, "weights or gate") from error
    if unexpected or any(not name.endswith("num_batches_tracked") for name in missing):
        raise _misfit(card, "weights")
    if gate is None and card.out_of_distribution_threshold is not None:
        raise ModelError(f"the gate of {card.name} is missing", code="broken-weights", next_step=AGAIN)
    if gate is not None and gate.mean.size != classifier.pooled_size:
        raise _misfit(card, "gate")
    return LoadedModel(classifier, card, gate)


def _stored(value: Tensor) -> Tensor:
    """A tensor as it is saved: fp16 where it has fractions."""
    if not value.dtype.is_floating_point:
        return value
    half = value.half()
    if not bool(half.isfinite().all()):
        raise ModelError(
            "a weight is not a number, or too large for half precision",
            code="broken-weights",
            next_step="Train again with a lower learning rate.",
        )
    return half


def _weights(folder: Path, card: ModelCard) -> bytes:
    try:
        data = (folder / WEIGHTS).read_bytes()
    except OSError as error:
        raise ModelError(
            f"the weights of {card.name} cannot be read", code="broken-weights", next_step=AGAIN
        ) from error
    if hashlib.sha256(data).hexdigest() != card.weights_sha256:
        raise ModelError(
            f"the weights of {card.name} are not those that its card describes",
            code="weights-digest",
            next_step="Install or import the model again; do not use it.",
        )
    return data


def _network(card: ModelCard) -> GapClassifier:
    try:
        return build_classifier(card)
    except (TypeError, LookupError, AttributeError, ArithmeticError, RuntimeError, AssertionError, ValueError) as error:
        # A card's options go to the network's constructor as they are: what it cannot take, it says in many ways.
        raise ModelError(
            f"the card of {card.name} describes no network that can be built", code="broken-card", next_step=AGAIN
        ) from error


def _misfit(card: ModelCard, what: str) -> ModelError:
    return ModelError(f"the {what} of {card.name} do not fit its network", code="broken-weights", next_step=AGAIN)


def _write(path: Path, data: bytes) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    part.write_bytes(data)
    part.replace(path)
