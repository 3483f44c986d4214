"""What every finding offers, and the shapes that several of them use."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from medcam.phantom.case import LEFT, RIGHT, FindingSpec
from medcam.phantom.grid import Image, dome
from medcam.phantom.physics import resize_to, smooth
from medcam.phantom.thorax import Thorax


class Inserter(Protocol):
    """One kind of finding."""

    footprint: float
    """Share of the footprint's peak above which a pixel belongs to the mask."""

    def sample(self, rng: np.random.Generator, name: str) -> FindingSpec:
        """Draws side, size and density."""
        ...

    def insert(self, thorax: Thorax, spec: FindingSpec) -> Image:
        """Changes the thorax in place and returns the finding's own chord length, float32 [size, size]."""
        ...


def draw_side(rng: np.random.Generator) -> int:
    """RIGHT or LEFT."""
    return RIGHT if rng.random() < 0.5 else LEFT


def draw_seed(rng: np.random.Generator) -> int:
    """A seed for the finding's details."""
    return int(rng.integers(2**31))


def inside_lung(
    thorax: Thorax, rng: np.random.Generator, side: int, *, margin: float = 0.12, thickness: float = 50.0
) -> tuple[float, float]:
    """A point (x, y) in mm that projects well inside an aerated lung.

    Drawn by rejection in mm, so that it is the same at every image size up to the thickness of the lung there.
    """
    patient, lung, best = thorax.patient, thorax.lungs[side], (0.0, (side * 70.0, 130.0))
    for _ in range(40):
        y = float(rng.uniform(patient.apex + 16, patient.dome(side) - 6))
        row = thorax.grid.row(y)
        inner, outer = float(lung.medial[row, 0]) + 6, float(lung.lateral[row, 0]) - 6
        share = float(rng.uniform(margin, 1 - margin))
        x = side * (inner + (outer - inner) * share)
        aerated = float(thorax.aerated[side][row, thorax.grid.column(x)])
        if aerated > thickness and outer - inner > 20:
            return x, y
        if aerated > best[0]:
            best = (aerated, (x, y))
    return best[1]


def ellipsoid(
    thorax: Thorax,
    centre: tuple[float, float],
    radii: tuple[float, float, float],
    angle: float = 0.0,
    lobes: tuple[tuple[float, float], ...] = (),
) -> Image:
    """Chord length of an ellipsoid, with a lobulated outline where `lobes` (amplitude, phase) are given."""
    across, down = thorax.grid.x - centre[0], thorax.grid.y - centre[1]
    cosine, sine = np.cos(angle), np.sin(angle)
    u, v = (across * cosine + down * sine) / radii[0], (down * cosine - across * sine) / radii[1]
    q = u * u + v * v
    if lobes:
        theta = np.arctan2(v, u)
        outline = 1 + sum(size * np.cos(order * theta + phase) for order, (size, phase) in enumerate(lobes, start=3))
        q = q / np.maximum(outline, 0.5) ** 2
    return 2 * np.float32(radii[2]) * dome(q)


def mottle(thorax: Thorax, rng: np.random.Generator, scale: float) -> Image:
    """Smooth noise of unit variance with features of about `scale` mm, the same at every image size."""
    cells = max(8, round(400 / scale))
    noise = resize_to(rng.standard_normal((cells, cells), dtype=np.float32), thorax.grid.size)
    return np.asarray(noise / noise.std(), dtype=np.float32)


def soften(thorax: Thorax, path: Image, mm: float) -> Image:
    """Blurs an edge by a standard deviation in mm."""
    return smooth(thorax.grid, path, mm)
