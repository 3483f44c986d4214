"""Nodule (8 to 30 mm) and mass (30 to 70 mm): rounded soft tissue in the lung."""

from __future__ import annotations

import numpy as np

from medcam.phantom.case import FindingSpec
from medcam.phantom.findings.base import draw_seed, draw_side, ellipsoid, inside_lung, soften
from medcam.phantom.grid import Image
from medcam.phantom.thorax import Thorax


class Nodule:
    """A sphere, slightly irregular; density 1 is soft tissue, up to 1.7 with calcium."""

    footprint = 0.12
    diameters = (8.0, 30.0)
    densities = (0.8, 1.7)
    roughness = 0.06

    def sample(self, rng: np.random.Generator, name: str) -> FindingSpec:
        """Draws side, diameter and density."""
        parameters = {
            "diameter_mm": float(rng.uniform(*self.diameters)),
            "density": float(rng.uniform(*self.densities)),
        }
        return FindingSpec(name, draw_side(rng), parameters, draw_seed(rng))

    def insert(self, thorax: Thorax, spec: FindingSpec) -> Image:
        """Displaces lung; returns the chord length."""
        rng, radius = np.random.default_rng(spec.seed), spec["diameter_mm"] / 2
        centre = inside_lung(thorax, rng, spec.side, margin=0.1, thickness=55)
        lobes = tuple((float(rng.uniform(0, self.roughness)), float(rng.uniform(0, 6.3))) for _ in range(4))
        shape = (radius * rng.uniform(0.92, 1.08), radius * rng.uniform(0.92, 1.08), radius)
        path = ellipsoid(thorax, centre, shape, rng.uniform(0, 3), lobes)
        path = soften(thorax, path, max(0.6, 0.04 * radius))
        thorax.opacity += (spec["density"] * path).astype(np.float32)
        return path


class Mass(Nodule):
    """A larger, lobulated nodule whose density leaves some air."""

    diameters = (30.0, 70.0)
    densities = (0.4, 1.0)
    roughness = 0.10
