"""A probe on disk: `probe.json` and `probe.safetensors` in a folder of its own. Nothing is pickled."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from medcam.core.errors import InvalidValueError, ModelError
from medcam.models.probes.card import ProbeCard, probe_card_from_json, probe_card_to_json
from medcam.models.probes.probe import Probe

CARD, WEIGHTS = "probe.json", "probe.safetensors"
AGAIN = "Fit the probe again."


def save_probe(folder: Path, probe: Probe) -> ProbeCard:
    """Writes a probe's folder; the card comes last and makes it complete.

    Args:
        folder: Where to; made if absent.
        probe: The probe; the digest on its card is filled in.

    Returns:
        The card with the digest of the weights.
    """
    data = save_tensors({"weights": np.array(probe.weights), "bias": np.array([probe.bias], dtype=np.float32)})
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / WEIGHTS, data)
    complete = replace(probe.card, weights_sha256=hashlib.sha256(data).hexdigest())
    _write(folder / CARD, probe_card_to_json(complete).encode("utf-8"))
    return complete


def read_probe_card(folder: Path) -> ProbeCard:
    """Reads the card of a probe's folder.

    Raises:
        ModelError: There is none (code "no-such-probe"), or it is damaged ("broken-probe").
    """
    try:
        return probe_card_from_json((folder / CARD).read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise ModelError("the card of the probe is damaged", code="broken-probe", next_step=AGAIN) from error
    except OSError as error:
        raise ModelError(f"{folder.name} holds no probe", code="no-such-probe") from error


def load_probe_folder(folder: Path) -> Probe:
    """Loads a probe and checks its weights against the card's digest.

    Raises:
        ModelError: There is none ("no-such-probe"), or it is damaged or changed ("broken-probe").
    """
    card = read_probe_card(folder)
    try:
        data = (folder / WEIGHTS).read_bytes()
        if hashlib.sha256(data).hexdigest() != card.weights_sha256:
            raise ModelError(
                f"the weights of the probe {card.name} are not those that its card describes",
                code="broken-probe",
                next_step=AGAIN,
            )
        tensors = load_tensors(data)
        return Probe(card, tensors["weights"], float(tensors["bias"][0]))
    except (OSError, SafetensorError, KeyError, IndexError, InvalidValueError) as error:
        raise ModelError(
            f"the weights of the probe {card.name} are damaged", code="broken-probe", next_step=AGAIN
        ) from error


def _write(path: Path, data: bytes) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    part.write_bytes(data)
    part.replace(path)
