"""Where evidence lies against how large the place is: shares, enrichment, intervals over patients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medcam.core.card import Interval
from medcam.core.errors import InvalidValueError
from medcam.evaluate.classification import resampled

BOOTSTRAPS = 2000
Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PlaceFigures:
    """Evidence in one place over films.

    Args:
        share: Mean share of the positive evidence that lies there.
        area: Mean share of the body's area that the place has.
        enrichment: share / area: 1 where evidence is spread as area is; None where the place has no area in the body.
    """

    share: Interval
    area: float
    enrichment: Interval | None


def place_figures(
    shares: npt.ArrayLike, areas: npt.ArrayLike, patients: Sequence[str], *, seed: int = 0
) -> list[PlaceFigures]:
    """Figures of places with 95 % bootstrap intervals over patients.

    Args:
        shares: [films, places], shares of the positive evidence, 0 to 1.
        areas: [films, places], shares of the body's area, 0 to 1.
        patients: One per film; films of one patient are drawn together.
        seed: Of the bootstrap.

    Returns:
        One per place.

    Raises:
        InvalidValueError: There is no film, or the arguments differ in length.
    """
    observed, expected = np.asarray(shares, dtype=np.float64), np.asarray(areas, dtype=np.float64)
    if observed.ndim != 2 or not len(observed) or observed.shape != expected.shape or len(patients) != len(observed):
        raise InvalidValueError("shares and areas must be [films, places] of the same films, at least one")
    _, groups = np.unique(np.asarray(patients, dtype=str), return_inverse=True)
    drawn = np.stack(resampled_weights(groups.astype(np.int64), seed))
    many_shares, many_areas = drawn @ observed, drawn @ expected
    return [
        PlaceFigures(
            _interval(float(observed[:, place].mean()), many_shares[:, place]),
            float(expected[:, place].mean()),
            _ratio(observed[:, place], expected[:, place], many_shares[:, place], many_areas[:, place]),
        )
        for place in range(observed.shape[1])
    ]


def resampled_weights(groups: npt.NDArray[np.int64], seed: int) -> list[Array]:
    """Bootstrap samples as weights of films, [films] each, summing to 1."""
    count = len(groups)
    samples = resampled(groups, BOOTSTRAPS, seed)
    return [np.bincount(index, minlength=count) / len(index) for index in samples]


def _ratio(observed: Array, expected: Array, many_observed: Array, many_expected: Array) -> Interval | None:
    area = float(expected.mean())
    if area <= 0.0:
        return None
    known = many_expected > 0.0
    return _interval(float(observed.mean()) / area, many_observed[known] / many_expected[known])


def _interval(value: float, many: Array) -> Interval:
    low, high = np.percentile(many, [2.5, 97.5])
    return Interval(value, min(float(low), value), max(float(high), value))
