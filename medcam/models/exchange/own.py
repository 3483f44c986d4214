"""A model as tensors by name and a card as text: what every exported file carries, so that it can be brought back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from medcam.core.card import ModelCard
from medcam.core.errors import InvalidValueError, ModelError
from medcam.models.card_json import card_from_json, card_to_json
from medcam.models.classifier import GapClassifier, build_classifier
from medcam.models.files import GATE
from medcam.models.gate import Gate
from medcam.models.loaded import LoadedModel

CARD_KEY = "medcam-card"
"""Under which name a file carries the card."""
_COUNTER = "num_batches_tracked"


def card_text(model: LoadedModel) -> str:
    """The card of a model as JSON."""
    return card_to_json(model.card)


def own_tensors(model: LoadedModel) -> dict[str, Tensor]:
    """All numbers of a model, fp32, by our own names; those of its gate begin with "gate."."""
    state = model.network.state_dict()
    made = {name: value.detach().cpu().contiguous() for name, value in state.items() if not name.endswith(_COUNTER)}
    if model.gate is not None:
        for name, values in (("mean", model.gate.mean), ("whitening", model.gate.whitening)):
            made[GATE + name] = torch.from_numpy(np.array(values))
    return made


def from_own(text: str, tensors: Mapping[str, Tensor]) -> tuple[GapClassifier, ModelCard, Gate | None]:
    """The model that `own_tensors` and `card_text` are of.

    Args:
        text: The card as JSON.
        tensors: By our own names; what inference does not need may be missing.

    Raises:
        ModelError: The card is damaged ("broken-card"), or the tensors are not those of its network
            ("broken-weights").
    """
    card = replace(card_from_json(text), weights_sha256="")
    try:
        network = build_classifier(card)
        state = {name: value.float() for name, value in tensors.items() if not name.startswith(GATE)}
        for name, value in network.state_dict().items():
            if name.endswith((_COUNTER, "class_layers.out.weight", "class_layers.out.bias", "fc.weight", "fc.bias")):
                state.setdefault(name, torch.zeros_like(value))
        network.load_state_dict(state)
        parts = {name.removeprefix(GATE): v.float().numpy() for name, v in tensors.items() if name.startswith(GATE)}
        return network.float().eval(), card, Gate(**parts) if parts else None
    except (RuntimeError, TypeError, ValueError, LookupError, AttributeError, InvalidValueError) as error:
        if isinstance(error, ModelError):
            raise
        raise ModelError(
            f"the tensors of {card.name} do not fit the network of its card",
            code="broken-weights",
            next_step="Export it again.",
        ) from error
