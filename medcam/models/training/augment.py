"""Random changes of films, by MONAI's transforms: the same geometry for a matched pair, its own intensity for each."""

from __future__ import annotations

import math

import numpy as np
import torch
from monai.transforms import Compose, RandAdjustContrast, RandAffine, RandCoarseDropout, RandFlip, RandGaussianNoise
from torch import Tensor

from medcam.models.training.config import Augmentation


class Augmenter:
    """Augments stacks of films [k, height, width] that belong together.

    Args:
        config: Ranges.
        side: Height of the films in pixels, the unit of shifts and patches.
    """

    def __init__(self, config: Augmentation, side: int) -> None:
        shift, turn = config.shift * side, math.radians(config.turn)
        self._geometry = Compose(
            [
                RandFlip(prob=config.flip, spatial_axis=1),
                RandAffine(
                    prob=0.95,
                    rotate_range=turn,
                    translate_range=(shift, shift),
                    scale_range=(config.zoom, config.zoom),
                    mode="bilinear",
                    padding_mode="zeros",
                ),
            ]
        )
        patch = max(2, side // 12)
        self._intensity = Compose(
            [
                RandAdjustContrast(prob=0.7, gamma=config.gamma),
                RandGaussianNoise(prob=0.5, std=config.noise),
                RandCoarseDropout(
                    holes=2, max_holes=6, spatial_size=patch, max_spatial_size=3 * patch, prob=config.hide, fill_value=0.0
                ),
            ]
        )

    def __call__(self, films: Tensor, seed: int) -> Tensor:
        """Augments films [k, height, width] with one geometry, each with its own intensity; deterministic by seed."""
        self._geometry.set_random_state(seed)
        self._intensity.set_random_state(seed)
        moved = self._geometry(films)
        changed = [torch.as_tensor(self._intensity(film[None]))[0] for film in moved]
        return torch.stack(changed)


def step_seed(seed: int, epoch: int, item: int) -> int:
    """A seed for one item of one epoch, so that a resumed run sees what an unbroken one would have seen."""
    return int(np.random.SeedSequence([seed, epoch, item]).generate_state(1)[0])
