"""The body's outline: neck, shoulders, trunk, arms and breasts, as thickness along the beam."""

from __future__ import annotations

import numpy as np

from medcam.phantom.case import LEFT, RIGHT, Patient
from medcam.phantom.grid import Grid, Image, dome, smooth_step
from medcam.phantom.physics import smooth


def body_thickness(grid: Grid, patient: Patient) -> Image:
    """mm of body along the beam, lungs counted in."""
    s, x, y = patient.scale, grid.x, grid.y
    trunk = patient.thorax + 24 * s + 0.9 * patient.fat + 10 * np.clip((y - 260) / 150, 0, 1)
    shoulders = 60 * s + (patient.thorax + 35 * s) * smooth_step((y - 14) / 10) + 20 * s * np.clip((y - 14) / 60, 0, 1)
    below = smooth_step((y - 122 * s) / 13)
    half = shoulders * (1 - below) + trunk * below
    thickness = (patient.depth + 2.2 * patient.fat) * dome(np.abs(x / half) ** 2.8)
    thickness = thickness * (0.52 + 0.48 * smooth_step((y - 62 * s) / 26))
    for side in (RIGHT, LEFT):
        centre = side * (patient.thorax + 70 * s + 0.05 * (y - 80))
        arm = ((x - centre) / (40 * s)) ** 2 + ((y - 190 * s) / (190 * s)) ** 4
        thickness = np.maximum(thickness, 88 * s * dome(arm))
    thickness = smooth(grid, thickness.astype(np.float32), 2.0)
    return thickness + _breasts(grid, patient) if patient.sex == "F" else thickness


def _breasts(grid: Grid, patient: Patient) -> Image:
    rng, s = np.random.default_rng([patient.seed, 1]), patient.scale
    size, thickness, height = rng.uniform(0.8, 1.25), rng.uniform(14, 34), (190 + rng.normal(0, 14)) * s
    total = grid.zeros()
    for side in (RIGHT, LEFT):
        q = ((grid.x - side * 80 * s) / (58 * s * size)) ** 2 + ((grid.y - height) / (56 * s * size)) ** 2
        upper = 1 - 0.75 * smooth_step((height - grid.y) / (16 * s))
        total += np.float32(thickness) * dome(q, 0.55) * upper
    return total
