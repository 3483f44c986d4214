"""Opacities planted on real films: matched pairs in which nothing but an opacity of the lung differs.

Labels mined from reports tell of more than opacity: of the ward, the scanner, the year. A film and the same film with
an opacity differ in the opacity alone, so that no such cue can be learnt from the pair (counterfactual augmentation;
pasted anomalies as in Tan et al. 2020, "Detecting outliers with foreign patch interpolation"). What is planted is
drawn at random within the lungs that the atlas finds; no reader's box is used. An opacity brings the lung's brightness
towards that of the soft tissue around it, as fluid in the air spaces does, and leaves what is brighter alone.

Both films of a pair also carry decoys, which are none: bright or dark patches outside the lungs, lines, letters, small
dots.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

SHAPES = ("focal", "focal", "lobar", "patches", "diffuse")
"""What is drawn, each as often as it is named."""
MIRRORED = (3, 4, 5, 0, 1, 2)
"""The six lung zones after a mirroring."""
WORDS = ("R", "L", "AP", "PORT", "ICU", "SUP")
VISIBLE, SMALLEST = 0.04, 0.006
"""An opacity that changes less than so large a share of the film by so much is drawn again, a few times."""
TRIES = 5


@dataclass(frozen=True, eq=False)
class Pair:
    """A film without and with a planted opacity.

    Args:
        without: float32 [side, side], 0 to 1.
        planted: The same film with it.
        change: float32 [side, side], what was added.
        extent: float32 [side, side], 0 to 1, where it is to be seen.
    """

    without: Floats = field(repr=False)
    planted: Floats = field(repr=False)
    change: Floats = field(repr=False)
    extent: Floats = field(repr=False)


def plant(film: Floats, lungs: Floats, rng: np.random.Generator) -> Pair:
    """Moves a film a little, puts decoys on it and plants an opacity.

    Args:
        film: float32 [side, side], 0 to 1, denser is brighter.
        lungs: float32 [6, side, side], the lung zones in the order of `medcam.core.zones.ZONES`.
        rng: Of everything random.
    """
    moved, zones = _moved(film, lungs, rng)
    lung = np.clip(zones.sum(axis=0), 0.0, 1.0)
    without = with_decoys(moved, lung, rng)
    tissue = tissue_around(without, lung)
    for _ in range(TRIES):
        extent, strength = _opacity(zones, lung, rng), rng.uniform(0.25, 0.85)
        grain = 1.0 + 0.15 * fractal(film.shape[0], rng) * extent
        change = strength * extent * np.clip(tissue + 0.05 - without, 0.0, 1.0) * grain
        if (change > VISIBLE).mean() > SMALLEST:
            break
    change = np.asarray(change, dtype=np.float32)
    return Pair(without, np.clip(without + change, 0.0, 1.0), change, (change > VISIBLE).astype(np.float32))


def _moved(film: Floats, lungs: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    mirror = bool(rng.random() < 0.5)
    turn, zoom = np.deg2rad(rng.uniform(-7.0, 7.0)), rng.uniform(0.92, 1.12)
    moved, zones = warped(film, lungs, rng.uniform(-0.05, 0.05, 2), mirror=mirror, turn=turn, zoom=zoom)
    return moved ** np.float32(np.exp(rng.uniform(np.log(0.7), np.log(1.4)))), zones


def warped(
    film: Floats,
    lungs: Floats,
    shift: npt.NDArray[np.float64],
    *,
    mirror: bool,
    turn: float,
    zoom: float,
    tall: float = 1.0,
) -> tuple[Floats, Floats]:
    """A film, 0 to 1, and its lung zones, moved about the film's middle.

    Args:
        film: float32 [side, side].
        lungs: float32 [6, side, side].
        shift: To the right and down, in shares of the side.
        mirror: Whether left becomes right; the zones are then in their places again.
        turn: Radians.
        zoom: Of both directions.
        tall: Of the height besides.
    """
    side = film.shape[0]
    cosine, sine, sign = np.cos(turn) * zoom, np.sin(turn) * zoom, -1.0 if mirror else 1.0
    linear = np.array([[sign * cosine, -sine], [sign * sine, cosine]]) @ np.diag([1.0, tall])
    middle = np.full(2, side / 2)
    matrix = np.column_stack([linear, middle - linear @ middle + shift * side])

    def warp(values: Floats) -> Floats:
        return np.asarray(cv2.warpAffine(values, matrix, (side, side)), dtype=np.float32)

    zones = np.stack([warp(zone) for zone in lungs])
    return np.clip(warp(film), 0.0, 1.0), zones[list(MIRRORED)] if mirror else zones


def tissue_around(film: Floats, lung: Floats) -> float:
    """Brightness of what surrounds the lungs."""
    reach = np.ones((film.shape[0] // 14,) * 2, np.uint8)
    around = film[cv2.dilate(lung, reach) - lung > 0.5]
    return float(np.percentile(around, 65)) if around.size > 100 else 0.7


def _opacity(zones: Floats, lung: Floats, rng: np.random.Generator) -> Floats:
    """Soft extent [side, side], 0 to 1, of one opacity within the lungs."""
    side, shape, noise = lung.shape[0], SHAPES[rng.integers(len(SHAPES))], fractal(lung.shape[0], rng)
    if shape == "focal":
        extent = soft_step(blob(lung, rng.uniform(0.06, 0.17), rng) + 0.22 * noise, 0.10)
    elif shape == "lobar":
        place = int(rng.integers(6))
        chosen = zones[place]
        if rng.random() < 0.4:
            chosen = np.maximum(chosen, zones[place // 3 * 3 + min(2, place % 3 + 1)])
        extent = blurred(chosen, 0.02 * side) * soft_step(0.9 + 0.8 * noise, 0.35)
    elif shape == "patches":
        blobs = [
            soft_step(blob(lung, rng.uniform(0.04, 0.10), rng) + 0.25 * noise, 0.12) for _ in range(rng.integers(2, 6))
        ]
        extent = np.maximum.reduce(blobs)
    else:
        chosen = np.maximum.reduce([zones[k] for k in (1, 2, 4, 5)]) if rng.random() < 0.6 else lung
        extent = blurred(chosen, 0.03 * side) * soft_step(noise - 0.2, 0.4)
    return np.asarray(extent * blurred(lung, 0.012 * side), dtype=np.float32)


def with_decoys(film: Floats, lung: Floats, rng: np.random.Generator) -> Floats:
    """A film [side, side] with patches, lines, letters and dots that are no opacity of the lung."""
    side, result = film.shape[0], film.copy()
    outside = 1.0 - cv2.dilate(lung, np.ones((9, 9), np.uint8))
    for _ in range(rng.integers(0, 3)):
        ground = outside * (film > 0.15)
        if ground.sum() < 50:
            break
        patch = soft_step(blob(ground, rng.uniform(0.05, 0.16), rng) + 0.2 * fractal(side, rng), 0.1)
        result += rng.uniform(-0.15, 0.3) * patch * blurred(outside, 0.01 * side)
    if rng.random() < 0.35:
        result += rng.uniform(0.1, 0.3) * curved_line(side, rng)
    if rng.random() < 0.3:
        result = np.maximum(result, rng.uniform(0.7, 1.0) * _word(side, rng))
    if rng.random() < 0.25:
        result += rng.uniform(0.08, 0.25) * soft_step(blob(lung, rng.uniform(0.008, 0.018), rng), 0.15)
    return np.asarray(np.clip(result, 0.0, 1.0), dtype=np.float32)


def curved_line(side: int, rng: np.random.Generator) -> Floats:
    """A curved line, such as a tube's or a wire's."""
    start, bend, end = rng.uniform(0, side, (3, 2))
    t = np.linspace(0, 1, 40)[:, None]
    course = (1 - t) ** 2 * start + 2 * t * (1 - t) * bend + t**2 * end
    canvas = np.zeros((side, side), np.float32)
    cv2.polylines(canvas, [course.astype(np.int32)], False, 1.0, int(rng.integers(1, 4)))
    return blurred(canvas, 0.8)


def _word(side: int, rng: np.random.Generator) -> Floats:
    canvas = np.zeros((side, side), np.uint8)
    corner = (int(rng.uniform(0, 0.85 * side)), int(rng.uniform(20, side)))
    word = WORDS[rng.integers(len(WORDS))]
    cv2.putText(canvas, word, corner, cv2.FONT_HERSHEY_SIMPLEX, rng.uniform(0.3, 0.8), 255, 2)
    return np.asarray(canvas, dtype=np.float32) / np.float32(255)


def blob(ground: Floats, radius: float, rng: np.random.Generator) -> Floats:
    """1 in the middle of an ellipse, 0 on its rim; its middle lies where the ground allows, its radius is a share."""
    side = ground.shape[0]
    heaped = np.cumsum(ground.ravel())
    row, column = divmod(int(np.searchsorted(heaped, rng.uniform(0, heaped[-1]))), side)
    rows, columns = np.mgrid[:side, :side].astype(np.float32)
    turn, stretch, size = rng.uniform(0, np.pi), np.sqrt(rng.uniform(0.6, 1.7)), radius * side
    along = (columns - column) * np.cos(turn) + (rows - row) * np.sin(turn)
    across = (rows - row) * np.cos(turn) - (columns - column) * np.sin(turn)
    return np.asarray(1.0 - np.hypot(along / (size * stretch), across * stretch / size), dtype=np.float32)


def fractal(side: int, rng: np.random.Generator) -> Floats:
    """Noise [side, side] of three scales, about unit variance."""
    total = np.zeros((side, side), np.float32)
    for weight, cells in ((0.6, 5), (0.45, 12), (0.35, 28)):
        coarse = rng.normal(size=(cells + 3, cells + 3)).astype(np.float32)
        fine = cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)
        total += weight * fine / (fine.std() + 1e-6)
    return total


def soft_step(values: Floats, width: float) -> Floats:
    """From 0 to 1 where values pass 0, over about so wide a range of them."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(values / width, -30.0, 30.0))), dtype=np.float32)


def blurred(values: Floats, width: float) -> Floats:
    """Values under a Gaussian of so many pixels."""
    return np.asarray(cv2.GaussianBlur(values, (0, 0), width), dtype=np.float32)
