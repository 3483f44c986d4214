"""Lung markings: hila, a branching vessel tree on each side, and fine interstitial texture."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from medcam.phantom.case import LEFT, RIGHT, Patient
from medcam.phantom.grid import Grid, Image
from medcam.phantom.physics import resize_to
from medcam.phantom.tubes import Segments, add_tree, add_tube, segments

BRANCHES = 13
TEXTURE_GRID = 128


def lung_markings(grid: Grid, patient: Patient, lung_path: Image) -> Image:
    """mm of soft tissue inside the lungs.

    Args:
        grid: The detector.
        patient: The patient.
        lung_path: Both lungs, mm along the beam; where it is thin the markings are too.
    """
    rng, tree = np.random.default_rng([patient.seed, 2]), grid.zeros()
    parts: list[Segments] = []
    for side in (RIGHT, LEFT):
        _hilum(grid, patient, side, rng, tree)
        for number in range(BRANCHES):
            _branch(patient, side, -1.35 + 2.75 * number / (BRANCHES - 1) + rng.normal(0, 0.1), rng, parts)
    add_tree(grid, tree, parts)
    texture = np.maximum(_texture(grid, patient), -2.0) * 0.020 * lung_path * patient.markings
    seen = np.minimum(1.25 * tree * np.clip(lung_path / 70, 0, 1) + texture, 0.8 * lung_path)
    return np.asarray(seen, dtype=np.float32)


def _hilum_centre(patient: Patient, side: int) -> tuple[float, float]:
    s = patient.scale
    return side * 31 * s + 0.5 * patient.rotation, 118 * s + (5 if side == RIGHT else -4)


def _hilum(grid: Grid, patient: Patient, side: int, rng: np.random.Generator, tree: Image) -> None:
    s, (x, y) = patient.scale, _hilum_centre(patient, side)
    line = [(side * 19 * s, y - 12 * s), (x, y), (x + side * 5 * s, y + 30 * s), (x + side * 2 * s, y + 52 * s)]
    add_tube(grid, tree, line, [7 * s, 9 * s, 6.5 * s, 3.5 * s], strength=0.8)
    for _ in range(4):
        start = (x + rng.normal(0, 6), y + rng.normal(0, 10))
        end = (x + side * rng.uniform(6, 22), y + rng.normal(0, 20))
        add_tube(grid, tree, [start, end], [rng.uniform(3, 6) * s, rng.uniform(2, 4) * s], strength=0.5)


def _branch(patient: Patient, side: int, angle: float, rng: np.random.Generator, parts: list[Segments]) -> None:
    s, (x, y) = patient.scale, _hilum_centre(patient, side)
    radius, step = rng.uniform(2.2, 3.5) * s * patient.markings**0.5, rng.uniform(12, 16) * s
    x, y = x, y + 12 * np.sin(angle)
    line, radii = [(x, y)], [radius]
    for _ in range(8):
        angle += rng.normal(0, 0.17)
        x, y, radius = x + side * step * np.cos(angle), y + step * np.sin(angle), 0.80 * radius
        line.append((x, y))
        radii.append(radius)
        if rng.random() < 0.75:
            _twig((x, y), side, angle + rng.choice([-1, 1]) * rng.uniform(0.35, 0.85), radius, step, rng, parts)
    parts.append(segments(line, radii))


def _twig(
    start: tuple[float, float],
    side: int,
    angle: float,
    radius: float,
    step: float,
    rng: np.random.Generator,
    parts: list[Segments],
) -> None:
    line, radii, radius = [start], [0.8 * radius], 0.8 * radius
    for _ in range(3):
        angle += rng.normal(0, 0.2)
        x, y = line[-1]
        line.append((x + 0.8 * side * step * np.cos(angle), y + 0.8 * step * np.sin(angle)))
        radius *= 0.74
        radii.append(radius)
    parts.append(segments(line, radii))


def _texture(grid: Grid, patient: Patient) -> Image:
    noise = np.random.default_rng([patient.seed, 3]).standard_normal((TEXTURE_GRID, TEXTURE_GRID), dtype=np.float32)
    band = gaussian_filter(noise, 0.9) - gaussian_filter(noise, 3.0)
    return resize_to(band / band.std(), grid.size)
