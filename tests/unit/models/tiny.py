"""A tiny network and its card, for tests of models on disk and in memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from medcam.core.card import FindingCard, InputRecipe, Interval, ModelCard, RegionRule, RegionRuleKind
from medcam.core.codes import CodedConcept
from medcam.models.classifier import GapClassifier, build_classifier

SIDE = 64
OPTIONS = {"stride": 8, "layers": [1, 1, 1, 1], "block_inplanes": [8, 8, 8, 8]}


def tiny_card(**changes: Any) -> ModelCard:
    """A card on which no field has its default value, except where it decides how the input is prepared."""
    fields: dict[str, Any] = {
        "name": "tiny",
        "version": "2026.01",
        "findings": (
            FindingCard(
                "Nodule",
                CodedConcept("427359005", "SCT", "Solitary nodule of lung"),
                threshold=0.31,
                region_rule=RegionRule("calibrated", RegionRuleKind.ABSOLUTE, 7.5, False, 0.1),
                map_scale=40.0,
                performance={"auc": Interval(0.9, 0.85, 0.95), "iou": Interval(0.4, 0.4, 0.4)},
            ),
            FindingCard("Höhenkrankheit <ä>"),
            FindingCard("Mass", threshold=0.7, map_scale=0.25),
        ),
        "input": InputRecipe(SIDE, SIDE),
        "backbone": "resnet",
        "backbone_options": dict(OPTIONS),
        "layer": "layer4",
        "training_data": "noise",
        "training_licence": "CC0-1.0",
        "training_command": "medcam train",
        "intended_use": "Tests.",
        "limits": ("knows nothing", "says so"),
        "performance": {"ece": Interval(0.02, 0.01, 0.03)},
        "out_of_distribution_threshold": 1.5,
    }
    return ModelCard(**(fields | changes))


def tiny_network(card: ModelCard | None = None, seed: int = 0) -> GapClassifier:
    """A random network in which every tensor matters: biases and the statistics of batch norms are random too."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = build_classifier(card or tiny_card())
        with torch.no_grad():
            for name, value in network.state_dict().items():
                if name.endswith("running_var"):
                    value.uniform_(0.5, 2.0)
                elif name.endswith(("bias", "running_mean")):
                    value.normal_(0.0, 0.3)
    return network.eval()


def noise(count: int, seed: int = 0, side: int = SIDE) -> np.ndarray:
    """Inputs float32 [count, 1, side, side]."""
    return np.random.default_rng(seed).normal(0.0, 1.0, (count, 1, side, side)).astype(np.float32)
