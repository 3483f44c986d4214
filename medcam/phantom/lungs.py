"""The lungs: borders, domes of the diaphragm and thickness along the beam."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from medcam.phantom.case import LEFT, Patient
from medcam.phantom.grid import Grid, Image, dome, smooth_step


@dataclass(frozen=True, eq=False)
class Lung:
    """One lung.

    Args:
        side: RIGHT or LEFT.
        path: float32 [size, size], mm along the beam, heart not yet taken out.
        medial: float32 [size, 1], distance of its medial border from the midline, mm.
        lateral: float32 [size, 1], distance of its lateral border, mm.
        dome: float32 [1 or size, size], y of the diaphragm.
    """

    side: int
    path: Image
    medial: Image
    lateral: Image
    dome: Image


def lateral_border(grid: Grid, patient: Patient) -> Image:
    """Half width of the thoracic cavity at every row, float32 [size, 1]."""
    bottom = patient.dome_right + 46 * patient.scale
    rise = np.clip((bottom - grid.y) / (bottom - patient.apex), 0, 1)
    width = patient.thorax * np.clip(1 - rise**2.9, 0, 1) ** (1 / 2.3)
    return np.asarray(width * (1 - 0.06 * np.clip((grid.y - bottom + 50) / 120, 0, 1)), dtype=np.float32)


def lung(grid: Grid, patient: Patient, side: int, lateral: Image, raised: float) -> Lung:
    """Projects one lung; its dome is lifted by `raised` mm."""
    s, y = patient.scale, grid.y
    outward = side * grid.x
    medial = _medial_border(grid, patient, side)
    width = np.maximum(lateral - medial, 1e-3)
    across = np.clip(2 * (outward - medial) / width - 1, -1, 1)
    inside = smooth_step(outward - medial) * smooth_step((lateral - outward) / 0.9)
    depth = 0.80 * patient.depth * (0.46 + 0.54 * smooth_step((y - patient.apex - 50) / 20))
    depth = depth * smooth_step((y - patient.apex - 5) / 3.5)
    diaphragm = _dome(grid, patient, side, raised)
    above = smooth_step((diaphragm - y) / 1.1)
    # The posterior recess reaches below the dome and is seen through it.
    recess = 0.26 * np.exp(-np.maximum(y - diaphragm, 0) / (22 * s)) * smooth_step((diaphragm + 52 * s - y) / 6)
    recess = recess * smooth_step((lateral - 6 - outward) / 4)
    path = depth * dome(np.abs(across) ** 2.4) * inside * (above + (1 - above) * recess)
    return Lung(side, path.astype(np.float32), medial, lateral, diaphragm)


def _medial_border(grid: Grid, patient: Patient, side: int) -> Image:
    s, y = patient.scale, grid.y
    border = 19 * s + 7 * s * np.exp(-(((y - 118 * s) / 22) ** 2)) - 5 * s * smooth_step((52 * s - y) / 10)
    if side == LEFT:
        border = border + (7 + 0.6 * patient.aorta) * s * np.exp(-(((y - 84 * s) / 14) ** 2))
    return np.asarray(border + 0.6 * side * patient.rotation, dtype=np.float32)


def _dome(grid: Grid, patient: Patient, side: int, raised: float) -> Image:
    s = patient.scale
    outward = side * grid.x / s
    lateral_fall = 30 * np.clip((outward - 62) / 58, 0, 1.35) ** 2.2
    medial_fall = 5 * np.clip((62 - outward) / 45, 0, 1.3) ** 2
    shape = np.where(outward > 62, lateral_fall, medial_fall) * s
    return np.asarray(patient.dome(side) - raised + shape, dtype=np.float32)
