"""A small network and films whose labels it knows something about, and what finishing makes of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from medcam.core.card import ModelCard
from medcam.models.classifier import GapClassifier
from medcam.models.loaded import LoadedModel
from medcam.models.registry import load_model
from medcam.models.training.config import TrainingConfig
from medcam.models.training.films import Films
from medcam.models.training.losses import MapParameters

SIDE, COUNT = 64, 48
NAMES = ("Nodule", "Mass", "Atelectasis", "Support Devices", "Consolidation")
TRUE, ANTI, UNJUDGED, ABSENT, PARTLY = range(5)
"""Labels of each finding: they follow the network, contradict it, are missing, are all 0, are half missing."""

CONFIG = TrainingConfig(
    backbone="resnet", backbone_options={"stride": 8, "layers": [1, 1, 1, 1], "block_inplanes": [8, 8, 8, 8]}
)


def parameters() -> MapParameters:
    """Scales and biases that differ from finding to finding, as training leaves them."""
    made = MapParameters(len(NAMES))
    with torch.no_grad():
        made.log_scale.copy_(torch.tensor([1.0, 2.0, 0.5, 3.0, 1.5]))
        made.gap_bias.copy_(torch.tensor([-1.0, 0.5, 0.0, 2.0, -0.5]))
    return made


@torch.inference_mode()
def before(network: GapClassifier, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Maps and logits that training saw: the map times its scale, the mean of that plus its bias."""
    made = parameters()
    maps = network(torch.from_numpy(images.astype(np.float32))[:, None]).maps * made.scale[:, None, None]
    return maps.numpy(), (maps.mean(dim=(2, 3)) + made.gap_bias).numpy()


def labelled(network: GapClassifier, images: np.ndarray, first_patient: int) -> Films:
    """Films whose labels the network knows something about, and masks around the peaks of its maps."""
    maps, logits = before(network, images)
    noise = np.random.default_rng(first_patient).normal(0.0, 1.0, logits.shape)
    middle, spread = np.median(logits, axis=0), logits.std(axis=0)
    labels = ((logits - middle) / spread + noise > 0.0).astype(np.int8)
    labels[:, ANTI] = 1 - labels[:, ANTI]
    labels[:, UNJUDGED], labels[:, ABSENT] = -1, 0
    labels[::2, PARTLY] = -1
    masks = np.repeat(np.repeat(maps >= np.quantile(maps, 0.8, axis=(2, 3), keepdims=True), 4, axis=2), 4, axis=3)
    return Films(
        names=NAMES,
        images=images,
        labels=labels,
        patients=first_patient + np.arange(len(images), dtype=np.int64),
        partners=np.full(len(images), -1, dtype=np.int64),
        masks=masks & (labels == 1)[:, :, None, None],
    )


@dataclass(frozen=True)
class Finished:
    """One run of `finish_model`, with what went in."""

    folder: Path
    card: ModelCard
    network: GapClassifier
    train: Films
    calibration: Films
    maps_before: np.ndarray
    logits_before: np.ndarray

    @cached_property
    def loaded(self) -> LoadedModel:
        return load_model(self.folder)

    def logits(self, films: Films) -> np.ndarray:
        return self.loaded.predict(films.images.astype(np.float32)[:, None]).logits

    def probabilities(self, films: Films) -> np.ndarray:
        return 1.0 / (1.0 + np.exp(-self.logits(films).astype(np.float64)))
