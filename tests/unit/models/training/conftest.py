"""A toy task that a tiny network can learn in seconds: a bright square is the finding."""

from __future__ import annotations

import numpy as np
import pytest

from medcam.models.training.config import Augmentation, Extent, Objective, TrainingConfig
from medcam.models.training.films import Films

SIDE = 64


def square_films(count: int, first_patient: int, seed: int) -> Films:
    """Pairs of noise films, one of each pair with a bright square whose place is the truth."""
    rng = np.random.default_rng(seed)
    images, masks = [], []
    for _ in range(count):
        film = rng.normal(0.0, 0.3, (SIDE, SIDE))
        top, left = rng.integers(4, SIDE - 20, 2)
        marked, mask = film.copy(), np.zeros((SIDE, SIDE), dtype=np.bool_)
        mask[top : top + 16, left : left + 16] = True
        marked[mask] += 2.0
        images += [marked, film]
        masks += [mask, np.zeros_like(mask)]
    labels = np.tile(np.array([[1], [0]], dtype=np.int8), (count, 1))
    partners = np.array([index + 1 if index % 2 == 0 else -1 for index in range(2 * count)], dtype=np.int64)
    return Films(
        names=("Square",),
        images=np.stack(images).astype(np.float16),
        labels=labels,
        patients=np.repeat(np.arange(first_patient, first_patient + count), 2).astype(np.int64),
        partners=partners,
        masks=np.stack(masks)[:, None],
    )


@pytest.fixture
def toy_config() -> TrainingConfig:
    """A tiny ResNet with one unit per finding."""
    return TrainingConfig(
        backbone="resnet",
        backbone_options={"stride": 4, "neck": 8, "layers": [1, 1, 1, 1], "block_inplanes": [8, 8, 8, 8]},
        head_options={"finding_units": True},
        objective=Objective(extents={"Square": Extent(0.04, 0.1)}),
        augmentation=Augmentation(shift=0.05, turn=0.0, zoom=0.0),
        epochs=2,
        batch=8,
        learning_rate=5e-3,
        seed=3,
        threads=1,
    )


@pytest.fixture(scope="session")
def toy_train() -> Films:
    """Films to learn from."""
    return square_films(24, 0, 1)


@pytest.fixture(scope="session")
def toy_held_back() -> Films:
    """Films of other patients."""
    return square_films(10, 1000, 2)
