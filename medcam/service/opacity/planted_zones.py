"""Planted opacities of the size of a lung's zone, on films as unlike one another as those of a ward.

Size, place and texture come from textbook anatomy, not from any reader's box: a zone is a third of a lung, one or two
are filled, of one lung or both, lower ones more often; or the lungs around their roots; or the bases. Many are faint.
Both films of a pair also carry what readers do not call opacity: a wider heart, breasts, leads, a pacemaker, besides
the decoys of `medcam.service.opacity.planted`, and what a bad exposure or a short breath does.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from medcam.service.opacity.planted import (
    Floats,
    Pair,
    blob,
    blurred,
    curved_line,
    fractal,
    soft_step,
    tissue_around,
    warped,
    with_decoys,
)

OFTEN = (0.18, 0.34, 0.48)
"""How often an upper, a middle and a lower zone is filled."""
VISIBLE, SMALLEST, TRIES = 0.03, 0.008, 6
"""An opacity that changes less than so large a share of the film by so much is drawn again, a few times."""


def plant_zones(film: Floats, lungs: Floats, rng: np.random.Generator) -> Pair:
    """Moves a film, puts decoys on it and plants an opacity of about a zone's size; see `planted.plant`.

    Args:
        film: float32 [side, side], 0 to 1, denser is brighter.
        lungs: float32 [6, side, side], the lung zones in the order of `medcam.core.zones.ZONES`.
        rng: Of everything random.
    """
    moved, zones = _moved(film, lungs, rng)
    lung = np.clip(zones.sum(axis=0), 0.0, 1.0)
    without = _decoyed(moved, lung, rng)
    tissue = tissue_around(without, lung)
    for _ in range(TRIES):
        extent = _extent(zones, lung, rng)
        strength = 0.15 + 0.65 * rng.beta(1.1, 1.4)
        grain = np.clip(_texture(film.shape[0], rng), 0.3, 1.8)
        change = np.asarray(strength * extent * np.clip(tissue + 0.05 - without, 0.0, 1.0) * grain, dtype=np.float32)
        if (change > VISIBLE).mean() > SMALLEST:
            break
    return Pair(without, np.clip(without + change, 0.0, 1.0), change, extent)


def _moved(film: Floats, lungs: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Turned, zoomed, of shorter breath, of other exposure, blurred, noisy."""
    mirror = bool(rng.random() < 0.5)
    turn, zoom, tall = np.deg2rad(rng.uniform(-8.0, 8.0)), rng.uniform(0.9, 1.12), rng.uniform(0.85, 1.08)
    shift = rng.uniform(-0.05, 0.05, 2)
    moved, zones = warped(film, lungs, shift, mirror=mirror, turn=turn, zoom=zoom, tall=tall)
    moved = moved ** np.float32(np.exp(rng.uniform(np.log(0.65), np.log(1.5))))
    if rng.random() < 0.35:
        flat = rng.uniform(0.6, 0.95)
        moved = 0.5 + (moved - 0.5) * flat + rng.uniform(-0.06, 0.06)
    if rng.random() < 0.3:
        moved = blurred(np.asarray(moved, dtype=np.float32), rng.uniform(0.4, 1.1))
    if rng.random() < 0.3:
        moved = np.asarray(moved + rng.normal(0.0, rng.uniform(0.005, 0.03), moved.shape), dtype=np.float32)
    return np.asarray(np.clip(moved, 0.0, 1.0), np.float32), zones


def _decoyed(film: Floats, lung: Floats, rng: np.random.Generator) -> Floats:
    result, tissue, side = with_decoys(film, lung, rng), tissue_around(film, lung), film.shape[0]
    rows, columns = np.nonzero(lung > 0.5)
    seen = len(rows) > 100
    frame = (rows.min(), rows.max(), columns.min(), columns.max()) if seen else (0, 1, 0, 1)
    if rng.random() < 0.3 and seen:
        heart = _heart(side, frame, rng)
        result = result + heart * np.clip(tissue - result, 0.0, 1.0) * rng.uniform(0.6, 1.0)
    if rng.random() < 0.25 and seen:
        result = result + _breasts(side, frame, rng)
    if rng.random() < 0.25:
        for _ in range(rng.integers(1, 4)):
            result = result + rng.uniform(0.1, 0.3) * curved_line(side, rng)
            dot, place = np.zeros((side, side), np.float32), rng.uniform(0.15 * side, 0.85 * side, 2)
            cv2.circle(dot, (int(place[0]), int(place[1])), int(rng.integers(2, 7)), 1.0, -1)
            result = np.maximum(result, dot * rng.uniform(0.5, 1.0))
    if rng.random() < 0.08:
        box, size = np.zeros((side, side), np.float32), (int(side * 0.06), int(side * 0.05))
        middle = (int(rng.uniform(0.12, 0.88) * side), int(rng.uniform(0.15, 0.35) * side))
        cv2.ellipse(box, middle, size, float(rng.uniform(0, 180)), 0, 360, 1.0, -1)
        result = np.maximum(result, blurred(box, 1.0) * rng.uniform(0.75, 1.0))
    return np.asarray(np.clip(result, 0.0, 1.0), dtype=np.float32)


def _heart(side: int, frame: tuple[int, int, int, int], rng: np.random.Generator) -> Floats:
    """A wider heart's shadow, soft; `frame` is the lungs' top, bottom, left and right."""
    top, bottom, left, right = frame
    sign, high, wide = rng.choice([-1, 1, 1]), bottom - top, right - left
    row = top + high * rng.uniform(0.68, 0.85)
    half_width, half_height = wide * rng.uniform(0.2, 0.33), high * rng.uniform(0.2, 0.3)
    rows, columns = np.mgrid[:side, :side].astype(np.float32)
    across = (columns - (0.5 * (left + right) + sign * 0.06 * side)) / half_width
    return soft_step(np.asarray(1.0 - np.hypot(across, (rows - row) / half_height), np.float32), 0.06)


def _breasts(side: int, frame: tuple[int, int, int, int], rng: np.random.Generator) -> Floats:
    """Two broad faint shadows over and below the lower zones."""
    top, bottom, left, right = frame
    row, bright = top + (bottom - top) * rng.uniform(0.55, 0.8), rng.uniform(0.03, 0.1)
    rows, columns = np.mgrid[:side, :side].astype(np.float32)
    total = np.zeros((side, side), np.float32)
    for share in (0.25, 0.75):
        middle, radius = left + (right - left) * share, 0.17 * side * rng.uniform(0.8, 1.3)
        inside = 1.0 - np.hypot((columns - middle) / radius, (rows - row - 0.5 * radius) / radius)
        total += bright * soft_step(np.asarray(inside, np.float32), 0.08)
    return total


def _extent(zones: Floats, lung: Floats, rng: np.random.Generator) -> Floats:
    """Soft extent [side, side], 0 to 1, within the lungs."""
    side = lung.shape[0]
    noise, kind, soft = fractal(side, rng), rng.random(), rng.uniform(0.015, 0.045) * side
    if kind < 0.32:
        extent = _zonal(zones, soft, rng) * soft_step(rng.uniform(0.2, 1.0) + rng.uniform(0.3, 0.8) * noise, 0.35)
    elif kind < 0.57:
        where = np.asarray(sum(OFTEN[number % 3] * zones[number] for number in range(6)), np.float32)
        extent = np.zeros_like(lung)
        for _ in range(1 if rng.random() < 0.6 else 2):
            spot = blob(where, rng.uniform(0.08, 0.2), rng) + 0.2 * noise
            extent = np.maximum(extent, soft_step(spot, rng.uniform(0.08, 0.25)))
    elif kind < 0.77:
        both = np.maximum.reduce([zones[number] * np.float32(rng.uniform(0.5, 1.0)) for number in (1, 2, 4, 5)])
        extent = blurred(both, 0.03 * side) * soft_step(noise * rng.uniform(0.5, 1.0) + rng.uniform(-0.3, 0.5), 0.4)
    elif kind < 0.87:
        extent = _around_roots(lung, noise, rng)
    elif kind < 0.95:
        extent = _bases(zones, noise, soft, rng)
    else:
        spots = [
            soft_step(blob(lung, rng.uniform(0.04, 0.11), rng) + 0.25 * noise, 0.12) for _ in range(rng.integers(3, 8))
        ]
        extent = np.maximum.reduce(spots)
    return np.asarray(np.clip(extent, 0.0, 1.0) * blurred(lung, 0.008 * side), dtype=np.float32)


def _zonal(zones: Floats, soft: float, rng: np.random.Generator) -> Floats:
    """A zone or two of one lung, sometimes of both."""
    extent = np.zeros_like(zones[0])
    for lung in [int(rng.integers(2))] if rng.random() < 0.7 else [0, 1]:
        place = int(rng.choice(3, p=OFTEN))
        filled = zones[3 * lung + place]
        if rng.random() < 0.4:
            filled = np.maximum(filled, zones[3 * lung + (place + 1 if place < 2 else 1)])
        extent = np.maximum(extent, blurred(filled, soft) * np.float32(rng.uniform(0.6, 1.0)))
    return np.asarray(extent, dtype=np.float32)


def _around_roots(lung: Floats, noise: Floats, rng: np.random.Generator) -> Floats:
    """Around the lungs' roots, of both lungs or of one."""
    side = lung.shape[0]
    found_rows, found_columns = np.nonzero(lung > 0.5)
    if not len(found_rows):
        return np.zeros_like(lung)
    rows, columns = np.mgrid[:side, :side].astype(np.float32)
    high, wide = np.ptp(found_rows) / 2 + 1, np.ptp(found_columns) / 2 + 1
    middle = 0.5 * (found_columns.min() + found_columns.max())
    away = np.hypot((columns - middle) / wide, (rows - found_rows.min() - high) / high)
    extent = soft_step(np.asarray(rng.uniform(0.6, 0.95) - away + 0.12 * noise, np.float32), 0.12)
    if rng.random() < 0.3:
        half = columns > middle if rng.random() < 0.5 else columns < middle
        extent = extent * (1.0 - blurred(half.astype(np.float32), 0.01 * side))
    return extent


def _bases(zones: Floats, noise: Floats, soft: float, rng: np.random.Generator) -> Floats:
    """Denser towards the base, of one lung or both."""
    extent, rows = np.zeros_like(noise), np.mgrid[: len(noise), : len(noise)][0].astype(np.float32)
    for lung in [int(rng.integers(2))] if rng.random() < 0.6 else [0, 1]:
        low = zones[3 * lung + 1] + zones[3 * lung + 2]
        inside = np.nonzero(low > 0.5)[0]
        if len(inside) < 10:
            continue
        depth = (rows - inside.min()) / max(1, np.ptp(inside))
        rising = soft_step(np.asarray(depth - rng.uniform(0.35, 0.75) + 0.08 * noise, np.float32), 0.1)
        extent = np.maximum(extent, blurred(low, soft) * rising)
    return extent


def _texture(side: int, rng: np.random.Generator) -> npt.NDArray[np.floating]:
    """Grain about 1: smooth, netted, or crossed by air-filled bronchi."""
    kind = rng.random()
    if kind < 0.4:
        return 1.0 + 0.15 * fractal(side, rng)
    size = side // int(rng.integers(3, 7)) + 1
    fine = cv2.resize(rng.normal(size=(size, size)).astype(np.float32), (side, side), interpolation=cv2.INTER_CUBIC)
    if kind < 0.75:
        return np.asarray(1.0 + 0.15 * fractal(side, rng) + rng.uniform(0.1, 0.4) * fine)
    smooth = 1.0 + 0.15 * fractal(side, rng)
    air = np.maximum.reduce([curved_line(side, rng) for _ in range(rng.integers(3, 8))])
    return np.asarray(smooth * (1.0 - 0.5 * np.clip(air, 0.0, 1.0)))
