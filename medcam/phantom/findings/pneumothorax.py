"""Pneumothorax: air outside the lung, a rim of 5 to 50 mm, with the visceral pleural line."""

from __future__ import annotations

import numpy as np

from medcam.phantom.case import FindingSpec
from medcam.phantom.findings.base import draw_seed, draw_side
from medcam.phantom.grid import Image, smooth_step
from medcam.phantom.thorax import Thorax

LINE_WIDTH = 0.75
LINE_PATH = 5.0
"""mm of tissue that the visceral pleura puts in the way where the beam runs along it."""


class Pneumothorax:
    """Removes markings peripheral to the pleural line and turns that lung into air."""

    footprint = 0.5

    def sample(self, rng: np.random.Generator, name: str) -> FindingSpec:
        """Draws side, rim at the apex and how far down it reaches (share of the lung's height)."""
        parameters = {"rim_mm": float(rng.uniform(5, 50)), "reach": float(rng.uniform(0.5, 1.0))}
        return FindingSpec(name, draw_side(rng), parameters, draw_seed(rng))

    def insert(self, thorax: Thorax, spec: FindingSpec) -> Image:
        """Lets the lung shrink from apex and lateral wall; returns 1 in the pleural air, 0 elsewhere."""
        patient, lung, y = thorax.patient, thorax.lungs[spec.side], thorax.grid.y
        outward = spec.side * thorax.grid.x
        height = np.clip((y - patient.apex) / (patient.dome(spec.side) - patient.apex), 0, 1.3)
        taper = 0.5 + 0.5 * np.cos(np.clip(height / spec["reach"], 0, 1) * np.pi)
        rim = spec["rim_mm"] * taper * (0.35 + 0.65 * taper**0.2)
        depth = np.minimum(lung.lateral - outward, np.maximum(y - patient.apex - 4, 0) + 4)
        cavity = (lung.path > 4) & (outward > lung.medial) & (y < lung.dome)
        air = smooth_step((rim - depth) / 0.5) * cavity
        thorax.free_air += 0.95 * (thorax.aerated[spec.side] * air).astype(np.float32)
        thorax.markings *= (1 - 0.98 * air).astype(np.float32)
        line = np.exp(-(((depth - rim) / LINE_WIDTH) ** 2)) * cavity * (rim > 1)
        collapsed = cavity & (air < 0.5)
        denser = 0.06 * min(1.0, spec["rim_mm"] / 40) * thorax.aerated[spec.side] * collapsed
        thorax.opacity += (LINE_PATH * line + denser).astype(np.float32)
        return air.astype(np.float32)
