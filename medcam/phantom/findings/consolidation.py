"""Consolidation: airspace filled patch by patch, soft edges, air bronchograms where it is large."""

from __future__ import annotations

import numpy as np

from medcam.phantom.case import FindingSpec
from medcam.phantom.findings.base import draw_seed, draw_side, ellipsoid, inside_lung, mottle, soften
from medcam.phantom.grid import Image
from medcam.phantom.thorax import Thorax
from medcam.phantom.tubes import add_tube

PATCHES = 6


class Consolidation:
    """A cluster of blurred ellipsoids with mottled density."""

    footprint = 0.25

    def sample(self, rng: np.random.Generator, name: str) -> FindingSpec:
        """Draws side, radius and the share of filled airspace."""
        parameters = {"radius_mm": float(rng.uniform(22, 52)), "density": float(rng.uniform(0.25, 0.75))}
        return FindingSpec(name, draw_side(rng), parameters, draw_seed(rng))

    def insert(self, thorax: Thorax, spec: FindingSpec) -> Image:
        """Fills airspace; returns the fluid's chord length, smoothed."""
        rng, s = np.random.default_rng(spec.seed), thorax.patient.scale
        x, y = inside_lung(thorax, rng, spec.side, margin=0.2, thickness=60)
        radius, path = spec["radius_mm"] * s, thorax.grid.zeros()
        for _ in range(PATCHES):
            dx, dy = rng.normal(0, 0.33 * radius, 2)
            size = radius * rng.uniform(0.45, 0.8)
            shape = (size * rng.uniform(0.8, 1.2), size * rng.uniform(0.7, 1.1), 0.9 * size)
            path = np.maximum(path, ellipsoid(thorax, (x + dx, y + dy), shape, rng.uniform(0, 3)))
        mottled = soften(thorax, path, 4 * s) * (1 + 0.22 * mottle(thorax, rng, 7 * s))
        path = np.asarray(np.maximum(mottled, 0) * spec["density"], dtype=np.float32)
        path = np.minimum(path, 0.9 * thorax.aerated[spec.side])
        if spec["radius_mm"] > 30:
            path = np.maximum(path - 1.2 * self._bronchi(thorax, spec, (x, y), radius, rng) * (path > 4), 0)
        thorax.opacity += path.astype(np.float32)
        return soften(thorax, path, 2 * s)

    def _bronchi(
        self, thorax: Thorax, spec: FindingSpec, centre: tuple[float, float], radius: float, rng: np.random.Generator
    ) -> Image:
        s, tree = thorax.patient.scale, thorax.grid.zeros()
        toward = np.arctan2(centre[1] - 118 * s, centre[0] - spec.side * 30 * s)
        for _ in range(5):
            angle = toward + rng.normal(0, 0.45)
            step = np.array([np.cos(angle), np.sin(angle)])
            start = np.array(centre) - 0.8 * radius * step
            line = np.stack([start, start + radius * rng.uniform(0.8, 1.4) * step])
            add_tube(thorax.grid, tree, line, [1.8 * s, 0.9 * s])
        return tree
