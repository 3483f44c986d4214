"""Bones: spine, posterior and anterior ribs, clavicles, scapulae, humeri, as chords of cortical bone."""

from __future__ import annotations

import numpy as np

from medcam.phantom.case import LEFT, RIGHT, Patient
from medcam.phantom.grid import Grid, Image, dome, smooth_step
from medcam.phantom.tubes import Segments, add_tree, add_tube, segments

RIBS = 11
ANTERIOR = range(1, 8)


def skeleton(grid: Grid, patient: Patient, lateral: Image) -> Image:
    """mm of bone along the beam.

    Args:
        grid: The detector.
        patient: The patient.
        lateral: float32 [size, 1], half width of the thoracic cavity, which the ribs follow.
    """
    rng = np.random.default_rng([patient.seed, 4])
    bone = _spine(grid, patient, rng)
    posterior, anterior = [], []
    for number in range(RIBS):
        for side in (RIGHT, LEFT):
            rib, edge, start = _posterior_rib(grid, patient, side, number, float(rng.normal(0, 1)), lateral)
            posterior.append(rib)
            if number in ANTERIOR:
                anterior.append(_anterior_rib(patient, side, number, edge, start))
    add_tree(grid, bone, posterior, hollow=0.70, strength=patient.rib_density)
    add_tree(grid, bone, anterior, hollow=0.74, strength=0.6 * patient.rib_density)
    for side in (RIGHT, LEFT):
        _clavicle(grid, patient, side, float(rng.normal(0, 4)), bone)
        _shoulder(grid, patient, side, float(rng.normal(0, 5)), bone)
    return bone


def _spine(grid: Grid, patient: Patient, rng: np.random.Generator) -> Image:
    s = patient.scale
    column = np.exp(-(np.abs((grid.x - 0.4 * patient.rotation) / (18 * s)) ** 6))
    phase = 2 * np.pi * (grid.y + rng.uniform(0, 23.5 * s)) / (23.5 * s)
    bodies = 0.45 + 0.55 * smooth_step((np.cos(phase) + 0.62) / 0.12)
    bone = 6.5 * s * column * bodies
    for side in (RIGHT, LEFT):
        pedicle = np.exp(-(((grid.x - side * 10 * s - 0.3 * patient.rotation) / (3.2 * s)) ** 2))
        bone = bone + 3.2 * pedicle * smooth_step((np.cos(phase + 2.0) - 0.2) / 0.15)
    return np.asarray(bone, dtype=np.float32)


def _posterior_rib(
    grid: Grid, patient: Patient, side: int, number: int, jitter: float, lateral: Image
) -> tuple[Segments, float, float]:
    """From the spine to the lateral wall; returns (segments, distance of the wall, y there)."""
    s = patient.scale
    top, fall = (22 + 21.5 * number) * s + jitter, (24 + 2.4 * number) * s
    edge = max(float(np.interp(top + 0.8 * fall, grid.y[:, 0], lateral[:, 0])) + 7 * s, 38 * s)
    t = np.linspace(0, 1, 14)
    x = side * (15 * s + (edge - 15 * s) * np.sin(t * np.pi / 2))
    y = top - 5 * s * np.sin(np.clip(2 * t, 0, 1) * np.pi) + fall * t**2.4
    radii = np.interp(t, [0, 0.3, 1], [3.4 * s, 4.3 * s, 4.8 * s])
    return segments(np.column_stack([x, y]), radii), edge, float(y[-1])


def _anterior_rib(patient: Patient, side: int, number: int, edge: float, start: float) -> Segments:
    """From the lateral wall down and forward to the cartilage."""
    s, f = patient.scale, np.linspace(0, 1, 11)
    outer, inner = edge - 0.5 * s, (48 + 4 * number) * s
    x = side * (outer - (outer - inner) * (1 - np.cos(f * np.pi / 2)))
    y = start + (30 + 4 * number) * s * np.sin(f * np.pi / 2)
    return segments(np.column_stack([x, y]), np.interp(f, [0, 1], [4.6 * s, 5.4 * s]))


def _clavicle(grid: Grid, patient: Patient, side: int, lift: float, bone: Image) -> None:
    s, t = patient.scale, np.linspace(0, 1, 14)
    x = side * (15 * s + 135 * s * t) + 1.2 * patient.rotation
    y = (56 + lift) * s - 15 * s * t - 6 * s * np.sin(2 * np.pi * t)
    radii = np.interp(t, [0, 0.15, 0.6, 1], [8 * s, 5.5 * s, 5 * s, 6.5 * s])
    add_tube(grid, bone, np.column_stack([x, y]), radii, hollow=0.62, strength=0.85)


def _shoulder(grid: Grid, patient: Patient, side: int, jitter: float, bone: Image) -> None:
    s = patient.scale
    blade, head = side * (patient.thorax + 4 * s + jitter), side * (patient.thorax + 58 * s)
    for line, radii, hollow, share in (
        (
            [(blade - side * 6 * s, 70 * s), (blade - side * 10 * s, 112 * s), (blade + side * 3 * s, 166 * s)],
            [2.2 * s] * 3,
            0.5,
            0.7,
        ),
        (
            [(blade + side * 40 * s, 62 * s), (blade + side * 24 * s, 112 * s), (blade + side * 3 * s, 166 * s)],
            [2.8 * s] * 3,
            0.5,
            0.7,
        ),
        ([(blade - side * 20 * s, 64 * s), (blade + side * 42 * s, 50 * s)], [3 * s, 5 * s], 0.5, 0.6),
        ([(head + side * 2, 78 * s), (head + side * 10 * s, 210 * s)], [12 * s, 11 * s], 0.62, 0.65),
    ):
        add_tube(grid, bone, line, radii, hollow=hollow, strength=share)
    bone += 9 * dome(((grid.x - head) ** 2 + (grid.y - 70 * s) ** 2) / (23 * s) ** 2)
