"""The heart and the aorta."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medcam.phantom.case import LEFT, RIGHT, Patient
from medcam.phantom.grid import Grid, Image, dome
from medcam.phantom.tubes import add_tube


@dataclass(frozen=True, eq=False)
class Heart:
    """The heart.

    Args:
        path: float32 [size, size], mm along the beam.
        silhouette: bool [size, size].
        ratio: Cardiothoracic ratio as measured on the silhouette.
    """

    path: Image
    silhouette: npt.NDArray[np.bool_]
    ratio: float


def heart(grid: Grid, patient: Patient, ratio: float, half_thorax: float, domes: dict[int, Image]) -> Heart:
    """Left ventricle, right atrium and outflow tract as tilted ellipsoids, as wide as the cardiothoracic ratio asks.

    Args:
        grid: The detector.
        patient: The patient.
        ratio: Cardiothoracic ratio.
        half_thorax: Half the largest inner width of the thorax, mm.
        domes: y of the diaphragm per side; the heart rests on it.
    """
    s, shift = patient.scale, 0.8 * patient.rotation
    width = 2 * half_thorax * 0.95 * ratio
    right, left = 0.31 * width, 0.69 * width
    centre = patient.dome_left + 4 * s - 0.47 * left
    across, down, tilt = grid.x - 0.36 * left - shift, grid.y - centre, np.deg2rad(36)
    u = (across * np.cos(tilt) + down * np.sin(tilt)) / (0.735 * left)
    v = (-across * np.sin(tilt) + down * np.cos(tilt)) / (0.60 * left)
    ventricle = 0.60 * patient.depth * dome(np.abs(u) ** 2.1 + np.abs(v) ** 2.1)
    q = np.abs((grid.x + 0.36 * right - shift) / (0.64 * right)) ** 2.1
    q = q + np.abs((grid.y - patient.dome_right + 30 * s) / (46 * s)) ** 2.1
    atrium = 0.45 * patient.depth * dome(q)
    q = ((grid.x - 17 * s - shift) / (22 * s)) ** 2 + ((grid.y - centre + 0.62 * left) / (36 * s)) ** 2
    outflow = 0.35 * patient.depth * dome(q)
    chambers = np.maximum(ventricle, atrium)
    path = np.maximum(chambers, outflow).astype(np.float32)
    floor = np.where(grid.x < 0, domes[RIGHT], domes[LEFT]) + 12 * s
    columns = np.flatnonzero((chambers > 6).any(axis=0))
    seen = (columns[-1] + 1 - columns[0]) * grid.pitch / (2 * half_thorax) if columns.size else 0.0
    return Heart(path, (path > 6) & (grid.y < floor), float(seen))


def aorta(grid: Grid, patient: Patient) -> Image:
    """Arch and descending aorta where they stand out against the left lung, mm along the beam."""
    s, wide = patient.scale, patient.aorta
    centre, radius = 24 * s + 0.6 * wide + 0.5 * patient.rotation, 15 * s + 0.5 * wide
    arch = 34 * s * dome(((grid.x - centre) / radius) ** 2 + ((grid.y - 84 * s) / (16 * s)) ** 2)
    descending = grid.zeros()
    line = [(22 * s, 92 * s), (27 * s + 0.4 * wide, 140 * s), (19 * s, 240 * s)]
    add_tube(grid, descending, line, [11 * s] * 3, strength=0.95)
    return np.asarray(np.maximum(arch, descending), dtype=np.float32)
