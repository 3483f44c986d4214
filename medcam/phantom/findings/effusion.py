"""Pleural effusion: 100 to 1500 ml of fluid with a meniscus that climbs along the chest wall."""

from __future__ import annotations

import numpy as np

from medcam.phantom.case import FindingSpec
from medcam.phantom.findings.base import draw_seed, draw_side
from medcam.phantom.grid import Image, smooth_step
from medcam.phantom.thorax import Thorax

SEARCH_STEPS = 16
SEARCH_GRID = 96


class PleuralEffusion:
    """Fluid takes the place of lung from below; its level is found by bisection for the volume asked for."""

    footprint = 0.12

    def sample(self, rng: np.random.Generator, name: str) -> FindingSpec:
        """Draws side and volume; volumes are log-uniform."""
        volume = float(np.exp(rng.uniform(np.log(110), np.log(1500))))
        return FindingSpec(name, draw_side(rng), {"volume_ml": volume}, draw_seed(rng))

    def insert(self, thorax: Thorax, spec: FindingSpec) -> Image:
        """Fills one side; returns the fluid's chord length."""
        level = self._level(thorax, spec)
        fluid = thorax.aerated[spec.side] * self._filled(thorax, spec.side, level, 1)
        thorax.opacity += 0.97 * np.minimum(fluid, np.maximum(thorax.aerated[spec.side], 0))
        return fluid.astype(np.float32)

    def _level(self, thorax: Thorax, spec: FindingSpec) -> float:
        step = max(1, thorax.grid.size // SEARCH_GRID)
        path, area = thorax.aerated[spec.side][::step, ::step], (thorax.grid.pitch * step) ** 2
        high, low = thorax.patient.apex, thorax.patient.dome(spec.side) + 70 * thorax.patient.scale
        for _ in range(SEARCH_STEPS):
            level = (high + low) / 2
            volume = float((path * self._filled(thorax, spec.side, level, step)).sum()) * area / 1000
            high, low = (level, low) if volume > spec["volume_ml"] else (high, level)
        return level

    def _filled(self, thorax: Thorax, side: int, level: float, step: int) -> Image:
        """Share of the lung's depth that is fluid: a meniscus, thin above and full below."""
        s = thorax.patient.scale
        x, y, lateral = thorax.grid.x[:, ::step], thorax.grid.y[::step], thorax.lungs[side].lateral[::step]
        from_wall = np.maximum(lateral - side * x, 0)
        surface = level + 26 * s * (1 - np.exp(-from_wall / (16 * s)))
        film = smooth_step((y - surface) / (3 * s))
        return film * (0.30 + 0.70 * smooth_step((y - surface - 12 * s) / (8 * s)))
