"""Measures zones found by registration against the true zones of unseen phantoms.

    python -m medcam.service.measure.anatomy --count 200 --seed 1234
    python -m medcam.service.measure.anatomy --count 200 --seed 1234 --disturbed
    python -m medcam.service.measure.anatomy --films FOLDER

The first measures overlap; the second spoils the films (turned, cropped, shifted, without lungs) to relate quality to
overlap over its whole range; the third tells which share of the films in a folder of pictures is accepted.
"""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from scipy import ndimage
from scipy.stats import spearmanr

from medcam.anatomy import MIN_QUALITY, find_zones
from medcam.core.arrays import FloatArray
from medcam.core.display import DisplayWindow
from medcam.core.finding import ZonesSource
from medcam.core.radiograph import Radiograph
from medcam.core.zones import LUNG_ZONES, ZONES, Zones
from medcam.phantom import render, sample_case
from medcam.service.training.picture_films import picture_films

SIZE = 384
BOOTSTRAPS = 2000
QUALITY_EDGES = (0.0, 0.25, 0.5, 0.7, 0.9, 1.0)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ZoneScore:
    """One film: its quality and the Dice coefficient of each zone that is truly on it; "lungs" is the union of six."""

    quality: float
    dice: Mapping[str, float]

    @property
    def mean(self) -> float:
        """Mean over the nine zones inside the body, those absent on the film left out."""
        return float(np.mean([value for name, value in self.dice.items() if name in ZONES[:9]] or [0.0]))


def measure(count: int, seed: int, *, disturbed: bool = False, size: int = SIZE) -> list[ZoneScore]:
    """Finds zones on phantoms and compares them with the truth.

    Args:
        count: Phantoms.
        seed: Of the phantoms; take one that the atlas was not built from.
        disturbed: Whether each film is spoiled first, its true zones with it.
        size: Side of the rendered film in pixels.

    Returns:
        A score per phantom, in order.
    """
    scores: list[ZoneScore] = []
    for index in range(count):
        phantom = render(sample_case(seed, index), size)
        truth = Zones.from_anatomy(phantom.zones, source=ZonesSource.PHANTOM, quality=1.0)
        labels = np.argmax(np.stack([truth.masks[name] for name in ZONES]), axis=0).astype(np.uint8)
        pixels = phantom.linear
        if disturbed:
            pixels, labels = _disturb(pixels, labels, np.random.default_rng([seed, index]))
        scores.append(_score(find_zones(Radiograph(pixels, DisplayWindow(center=0.5, width=1.0))), labels))
    return scores


def summary(scores: list[ZoneScore], seed: int = 0) -> dict[str, object]:
    """Means with 95 % bootstrap intervals over films, over all of them and over those accepted."""
    accepted = [score for score in scores if score.quality >= MIN_QUALITY]
    qualities, means = [score.quality for score in scores], [score.mean for score in scores]
    bins = pairwise(QUALITY_EDGES)
    return {
        "films": len(scores),
        "accepted": len(accepted),
        "min_quality": MIN_QUALITY,
        "all": _means(scores, seed),
        "accepted_only": _means(accepted, seed),
        "lowest_accepted_mean_dice": min((score.mean for score in accepted), default=None),
        "spearman_quality_dice": _rank_correlation(qualities, means),
        "by_quality": {f"{low:.2f}-{high:.2f}": _bin(scores, low, high) for low, high in bins},
    }


def _score(found: Zones, labels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> ZoneScore:
    shape = found.masks[ZONES[0]].shape
    rows = ((np.arange(shape[0]) + 0.5) * labels.shape[0] / shape[0]).astype(np.int64)
    columns = ((np.arange(shape[1]) + 0.5) * labels.shape[1] / shape[1]).astype(np.int64)
    small = labels[np.ix_(rows, columns)]
    pairs = {name: (found.masks[name], small == number) for number, name in enumerate(ZONES)}
    lungs_seen, lungs_true = zip(*(pairs[name] for name in LUNG_ZONES), strict=True)
    pairs["lungs"] = (np.any(lungs_seen, axis=0), np.any(lungs_true, axis=0))
    dice = {
        name: 2.0 * float((seen & true).sum()) / float(seen.sum() + true.sum())
        for name, (seen, true) in pairs.items()
        if true.any()
    }
    return ZoneScore(found.quality, dice)


def _disturb(
    pixels: FloatArray, labels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], rng: np.random.Generator
) -> tuple[FloatArray, np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]:
    """Turns, zooms, shifts and blurs a film, and lays a bright veil over part of it."""
    turn = np.radians(rng.choice([rng.normal(0.0, 12.0), rng.uniform(-180.0, 180.0)], p=[0.8, 0.2]))
    zoom, squeeze = np.exp(rng.normal(0.0, 0.25)), np.exp(rng.normal(0.0, 0.15))
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ np.diag([zoom * squeeze, zoom])
    centre = (np.array(pixels.shape) - 1.0) / 2.0
    offset = centre - matrix @ centre + rng.normal(0.0, 0.12, 2) * pixels.shape
    moved = ndimage.affine_transform(pixels, matrix, offset, order=1, cval=0.0)
    carried = ndimage.affine_transform(labels, matrix, offset, order=0, cval=len(ZONES) - 1)
    veil = ndimage.gaussian_filter(rng.standard_normal(pixels.shape), 0.15 * pixels.shape[0])
    veil = np.clip(veil / veil.std(), 0.0, 2.0) * rng.uniform(0.0, 0.6) * (moved > 0.05)
    return np.asarray(np.clip(moved + veil, 0.0, 1.5), dtype=np.float32), carried


def _means(scores: list[ZoneScore], seed: int) -> dict[str, tuple[float, float, float]]:
    if not scores:
        return {}
    names = [*ZONES, "lungs"]
    table = np.array([[score.dice.get(name, np.nan) for name in names] + [score.mean] for score in scores])
    drawn = np.random.default_rng(seed).integers(len(scores), size=(BOOTSTRAPS, len(scores)))
    result: dict[str, tuple[float, float, float]] = {}
    for column, name in enumerate([*names, "mean"]):
        values = table[:, column]
        known = np.isfinite(values)
        if known.all():
            low, high = np.percentile(values[drawn].mean(axis=1), [2.5, 97.5])
            result[name] = (round(float(values.mean()), 4), round(float(low), 4), round(float(high), 4))
        elif known.any():
            kept = values[known]
            again = np.random.default_rng(seed).integers(kept.size, size=(BOOTSTRAPS, kept.size))
            low, high = np.percentile(kept[again].mean(axis=1), [2.5, 97.5])
            result[name] = (round(float(kept.mean()), 4), round(float(low), 4), round(float(high), 4))
    return result


def _bin(scores: list[ZoneScore], low: float, high: float) -> dict[str, float | int]:
    last = high >= QUALITY_EDGES[-1]
    inside = [s.mean for s in scores if low <= s.quality and (s.quality < high or last)]
    if not inside:
        return {"films": 0}
    worst, middle = np.percentile(inside, [10.0, 50.0])
    return {"films": len(inside), "median_dice": round(float(middle), 3), "tenth_percentile": round(float(worst), 3)}


def _rank_correlation(first: list[float], second: list[float]) -> float | None:
    if len(set(first)) < 2 or len(set(second)) < 2:
        return None
    return round(float(spearmanr(first, second).statistic), 3)


def accepted_share(folder: Path) -> dict[str, object]:
    """Quality of every picture (`.jpg`, `.png`) under a folder, taken as films that are upright."""
    qualities = [find_zones(film).quality for film in picture_films(folder)]
    accepted = [quality for quality in qualities if quality >= MIN_QUALITY]
    return {"films": len(qualities), "accepted": len(accepted), "share": len(accepted) / max(1, len(qualities))}


def main(arguments: list[str] | None = None) -> None:
    """Command line of the module."""
    parser = argparse.ArgumentParser(description="Measure anatomy found by registration.")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1234)
    parser.add_argument("--disturbed", action="store_true", help="spoil the films first")
    parser.add_argument("--films", type=Path, help="a folder of pictures instead of phantoms")
    given = parser.parse_args(arguments)
    if given.films:
        result = accepted_share(given.films)
    else:
        result = summary(measure(given.count, given.seed, disturbed=given.disturbed), given.seed)
    _log.info("%s", json.dumps(result, indent=2))


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main()
