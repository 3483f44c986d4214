"""Air outside the lungs: trachea, main bronchi, gas in the stomach."""

from __future__ import annotations

import numpy as np

from medcam.phantom.case import Patient
from medcam.phantom.grid import Grid, Image, dome, smooth_step
from medcam.phantom.tubes import add_tube


def trachea(grid: Grid, patient: Patient) -> Image:
    """mm of air in the trachea and the main bronchi."""
    s, middle = patient.scale, -1.5 * patient.scale + 0.4 * patient.rotation
    parts = []
    for line, radii, share in (
        ([(middle, -20.0), (middle, 30.0), (middle - 2, 93 * s)], [8 * s, 8 * s, 7.5 * s], 0.8),
        ([(middle - 2, 91 * s), (-30 * s, 118 * s)], [6 * s, 4.5 * s], 0.55),
        ([(middle - 2, 91 * s), (34 * s, 121 * s)], [5.6 * s, 4 * s], 0.55),
    ):
        part = grid.zeros()
        add_tube(grid, part, line, radii, strength=share)
        parts.append(part)
    return np.maximum(np.maximum(parts[0], parts[1]), parts[2])


def add_gas(grid: Grid, patient: Patient, air: Image) -> None:
    """Adds the stomach bubble under the left dome, in place."""
    rng, s = np.random.default_rng([patient.seed, 5]), patient.scale
    width, amount = 26 * s * rng.uniform(0.6, 1.2), rng.uniform(0.15, 1.0)
    q = ((grid.x - 60 * s) / width) ** 2 + ((grid.y - patient.dome_left - 24 * s) / (14 * s)) ** 2
    air += np.float32(46 * amount) * dome(q) * smooth_step((grid.y - patient.dome_left - 5 * s) / 1.5)
