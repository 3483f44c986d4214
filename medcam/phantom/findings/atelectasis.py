"""Atelectasis: plates above the diaphragm, or a lobe that lost its air, with a raised dome."""

from __future__ import annotations

import numpy as np

from medcam.phantom.case import FindingSpec
from medcam.phantom.findings.base import draw_seed, draw_side, ellipsoid, soften
from medcam.phantom.grid import Image, smooth_step
from medcam.phantom.thorax import Thorax


class Atelectasis:
    """Volume loss: the dome of that side is raised when the thorax is built."""

    footprint = 0.22

    def sample(self, rng: np.random.Generator, name: str) -> FindingSpec:
        """Draws kind, side, density, size and how far the dome is raised."""
        kind = "plate" if rng.random() < 0.5 else "lobar"
        parameters = {
            "density": float(rng.uniform(0.45, 1.2)),
            "size": float(rng.uniform(0.75, 1.3)),
            "raised_mm": float(rng.uniform(3, 8) if kind == "plate" else rng.uniform(8, 22)),
        }
        return FindingSpec(name, draw_side(rng), parameters, draw_seed(rng), kind)

    def insert(self, thorax: Thorax, spec: FindingSpec) -> Image:
        """Puts airless lung in; returns its chord length."""
        rng = np.random.default_rng(spec.seed)
        path = self._plates(thorax, spec, rng) if spec.kind == "plate" else self._lobe(thorax, spec, rng)
        path = np.asarray(np.minimum(path, 0.95 * thorax.aerated[spec.side]), dtype=np.float32)
        thorax.opacity += path
        return path

    def _plates(self, thorax: Thorax, spec: FindingSpec, rng: np.random.Generator) -> Image:
        s, path = thorax.patient.scale, thorax.grid.zeros()
        base = thorax.patient.dome(spec.side) - spec["raised_mm"]
        for _ in range(int(rng.integers(1, 4))):
            centre = (spec.side * rng.uniform(58, 88) * s, base - rng.uniform(12, 58) * s)
            length = rng.uniform(24, 42) * s * spec["size"]
            thickness = rng.uniform(1.8, 3.8) * s * spec["size"]
            tilt = spec.side * rng.normal(-0.12, 0.22)
            path = np.maximum(path, ellipsoid(thorax, centre, (length, thickness, 0.5 * length), tilt))
        return soften(thorax, path, 0.8 * s) * np.float32(0.6 * spec["density"])

    def _lobe(self, thorax: Thorax, spec: FindingSpec, rng: np.random.Generator) -> Image:
        s = thorax.patient.scale
        base = thorax.patient.dome(spec.side) - spec["raised_mm"]
        width = (52 + 20 * rng.random()) * s * spec["size"]
        height = (58 + 22 * rng.random()) * s * spec["size"]
        u, v = (spec.side * thorax.grid.x - 12 * s) / width, (base + 8 * s - thorax.grid.y) / height
        wedge = smooth_step((1 - u - v) / 0.05) * smooth_step(u / 0.03) * smooth_step((v + 0.2) / 0.04)
        return soften(thorax, 60 * s * wedge, 1.5 * s) * np.float32(spec["density"])
