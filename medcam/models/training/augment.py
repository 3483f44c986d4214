"""Random changes of films, a batch at a time; a matched pair changes alike, so that only its finding tells it apart."""

from __future__ import annotations

import math

import numpy as np
import torch
from monai.networks.layers import AffineTransform
from torch import Tensor

from medcam.core.card import InputRecipe
from medcam.models.training.config import Augmentation

TYPICAL_SPREAD = 0.25
"""Standard deviation of a film whose values lie between 0 and 1."""


class Augmenter:
    """Augments batches of films.

    Args:
        config: Ranges.
        recipe: How the films were prepared: what lies beyond their edge and how large noise is follow from it. None for
            films of zero mean and unit variance.
    """

    def __init__(self, config: Augmentation, recipe: InputRecipe | None = None) -> None:
        self._config = config
        self._fill, self._unit = 0.0, 1.0
        if recipe is not None and recipe.black is not None and recipe.white is not None:
            self._fill, self._unit = recipe.black, TYPICAL_SPREAD * abs(recipe.white - recipe.black)
        self._warp = AffineTransform(normalized=True, reverse_indexing=False, align_corners=False, padding_mode="zeros")

    def __call__(self, films: Tensor, seed: int, *, paired: bool) -> Tensor:
        """Augments films; deterministic by seed, with the same draws on every device.

        Args:
            films: float32 [n, 1, height, width], as the recipe prepares them.
            seed: Of everything random.
            paired: Whether film i and film i + n / 2 are a matched pair, which then change alike.

        Returns:
            float32 [n, 1, height, width]; what comes in from beyond the film's edge is 0, or the recipe's black.
        """
        rng = torch.Generator().manual_seed(seed)
        own = len(films) // 2 if paired else len(films)
        theta = self._geometry(own, rng).to(films.device)
        moved = self._warp(films - self._fill, torch.cat([theta, theta]) if paired else theta) + self._fill
        return self._intensity(moved, own, rng)

    def move(self, values: Tensor, seed: int, *, paired: bool) -> Tensor:
        """Moves [n, k, h, w] of any resolution as `__call__` moves the films of that seed, such as their masks."""
        own = len(values) // 2 if paired else len(values)
        theta = self._geometry(own, torch.Generator().manual_seed(seed)).to(values.device)
        return self._warp(values, torch.cat([theta, theta]) if paired else theta)  # type: ignore[no-any-return]

    def _geometry(self, count: int, rng: torch.Generator) -> Tensor:
        """Affine matrices [count, 2, 3] in normalised coordinates."""
        config = self._config
        draw = torch.rand(count, 6, generator=rng) * 2.0 - 1.0
        turn = draw[:, 0] * math.radians(config.turn)
        across, down = 1.0 + config.zoom * draw[:, 1], 1.0 + config.zoom * draw[:, 2]
        flip = torch.where((draw[:, 3] + 1.0) / 2.0 < config.flip, -1.0, 1.0)
        cosine, sine = torch.cos(turn), torch.sin(turn)
        # A shift of one is half a side in normalised coordinates.
        first = torch.stack([flip * across * cosine, -down * sine, 2.0 * config.shift * draw[:, 4]], dim=1)
        second = torch.stack([flip * across * sine, down * cosine, 2.0 * config.shift * draw[:, 5]], dim=1)
        return torch.stack([first, second], dim=1)

    def _intensity(self, films: Tensor, own: int, rng: torch.Generator) -> Tensor:
        config, count = self._config, len(films)
        low, high = films.amin(dim=(1, 2, 3), keepdim=True), films.amax(dim=(1, 2, 3), keepdim=True)
        span = (high - low).clamp_min(1e-6)
        share = torch.rand(own, 1, 1, 1, generator=rng).repeat(count // own, 1, 1, 1).to(films.device)
        logarithm = math.log(config.gamma[0]) + share * math.log(config.gamma[1] / config.gamma[0])
        changed = ((films - low) / span).clamp_min(1e-6).pow_(logarithm.exp()) * span + low
        if config.noise:
            grain = torch.randn((own, *changed.shape[1:]), generator=rng) * torch.rand(own, 1, 1, 1, generator=rng)
            changed = changed + self._unit * config.noise * grain.repeat(count // own, 1, 1, 1).to(films.device)
        return self._hide(changed, rng) if config.hide else changed

    def _hide(self, films: Tensor, rng: torch.Generator) -> Tensor:
        """Covers a few random patches with the film's mean (hide and seek, Singh and Lee 2017)."""
        side = films.shape[-1]
        for film in films:
            middle = 0.0 if self._unit == 1.0 else float(film.mean())
            if float(torch.rand((), generator=rng)) < self._config.hide:
                for _ in range(4):
                    size = int(torch.randint(side // 12, side // 5, (), generator=rng))
                    top, left = (int(v) for v in torch.randint(0, side - size, (2,), generator=rng))
                    film[:, top : top + size, left : left + size] = middle
        return films


def step_seed(seed: int, epoch: int, step: int, rank: int = 0) -> int:
    """A seed for one step of one epoch, so that a resumed run sees what an unbroken one would have seen.

    Args:
        seed: Of the run.
        epoch: From 0.
        step: Within the epoch, from 0.
        rank: Of the process, where several train together; the first draws what one by itself would.
    """
    numbers = [seed, epoch, step, rank] if rank else [seed, epoch, step]
    return int(np.random.SeedSequence(numbers).generate_state(1)[0])
