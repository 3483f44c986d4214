"""Probes with random weights on the tiny network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from medcam.core.card import FindingCard, Interval
from medcam.models.files import save_model
from medcam.models.loaded import LoadedModel
from medcam.models.probes.card import ProbeCard
from medcam.models.probes.probe import Probe

from ..tiny import tiny_card, tiny_network

CHANNELS = 8
DIGEST = "ab" * 32


def tiny_model(digest: str = DIGEST, **changes: Any) -> LoadedModel:
    card = tiny_card(weights_sha256=digest, out_of_distribution_threshold=None, **changes)
    return LoadedModel(tiny_network(card), card)


def saved_tiny_model(folder: Path) -> str:
    """Saves the tiny model, and returns the digest of its weights."""
    card = tiny_card(out_of_distribution_threshold=None)
    return save_model(folder, tiny_network(card), card).weights_sha256


def random_probe(name: str = "pacemaker", layer: str = "layer4", seed: int = 0, digest: str = DIGEST) -> Probe:
    rng = np.random.default_rng(seed)
    finding = FindingCard(name, threshold=0.3, map_scale=2.0, performance={"auc": Interval(0.8, 0.7, 0.9)})
    card = ProbeCard(finding, "tiny", digest, layer, "2026.11.25", positives=20, negatives=30, limits=("is random",))
    return Probe(card, rng.normal(size=CHANNELS).astype(np.float32), float(rng.normal()))
