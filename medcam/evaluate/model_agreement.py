"""How far two models say the same of the same films: their scores and their maps.

None of these figures says which of the two is right.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from medcam.core.errors import InvalidValueError
from medcam.evaluate.agreement import mean_figure
from medcam.evaluate.agreement_figure import DRAWS, FEWEST_GROUPS, Doubt, Figure, Floats, nothing, percentile_figure
from medcam.evaluate.classification import resampled


@dataclass(frozen=True, slots=True)
class ScoreAgreement:
    """Two models' probabilities of one finding.

    Args:
        correlation: Spearman's rank correlation.
        difference: Mean of the second's probability minus the first's.
        absolute: Mean size of that difference.
        limits: 95 % limits of agreement, mean -/+ 1.96 standard deviations of the difference (Bland and Altman, Lancet
            1986); None with fewer than two films.
    """

    correlation: Figure
    difference: Figure
    absolute: Figure
    limits: tuple[float, float] | None


def score_agreement(
    first: npt.ArrayLike, second: npt.ArrayLike, groups: npt.ArrayLike, *, seed: int = 0
) -> ScoreAgreement:
    """Agreement of two models' probabilities.

    Args:
        first: [n], 0 to 1, by the first.
        second: [n], by the second.
        groups: [n], the patient of each film; films of one patient are drawn together.
        seed: Of the bootstrap.

    Raises:
        InvalidValueError: The three differ in length.
    """
    one, other, patients = _equally_many(first, second, groups)
    apart = other - one
    mean, spread = (float(apart.mean()), 1.96 * float(apart.std(ddof=1))) if len(apart) > 1 else (0.0, None)
    return ScoreAgreement(
        correlation=rank_correlation(one, other, patients, seed=seed),
        difference=mean_figure(apart, patients, seed=seed),
        absolute=mean_figure(np.abs(apart), patients, seed=seed),
        limits=None if spread is None else (mean - spread, mean + spread),
    )


def rank_correlation(first: npt.ArrayLike, second: npt.ArrayLike, groups: npt.ArrayLike, *, seed: int = 0) -> Figure:
    """Spearman's rank correlation (1904), with its 95 % bootstrap interval over patients; ranks are made anew per draw.

    Args:
        first: [n].
        second: [n].
        groups: [n], the patient of each case.
        seed: Of the bootstrap.

    Raises:
        InvalidValueError: The three differ in length.
    """
    one, other, patients = _equally_many(first, second, groups)
    if not len(one):
        return nothing()
    _, place = np.unique(patients, return_inverse=True)
    cases, several = len(one), int(place.max()) + 1
    value = _spearman(one, other)
    if np.isnan(value):
        return Figure(None, None, None, cases, several, Doubt.ONE_CATEGORY)
    if several < FEWEST_GROUPS:
        return Figure(value, None, None, cases, several, Doubt.FEW)
    samples = resampled(place.astype(np.int64), DRAWS, seed)
    draws = np.array([_spearman(one[sample], other[sample]) for sample in samples])
    return percentile_figure(value, draws, cases, several)


def map_correlation(first: npt.ArrayLike, second: npt.ArrayLike, seen: npt.ArrayLike | None = None) -> float | None:
    """Pearson's correlation of two maps on one grid, -1 to 1; None where one is the same everywhere.

    Neither scale nor offset of a map changes it: models whose logits have different units can be compared.

    Args:
        first: [h, w].
        second: [h, w].
        seen: bool [h, w], cells that both models saw; None for all.

    Raises:
        InvalidValueError: The grids differ.
    """
    one, other = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    chosen = np.ones(one.shape, dtype=bool) if seen is None else np.asarray(seen, dtype=bool)
    if one.ndim != 2 or not one.shape == other.shape == chosen.shape:
        raise InvalidValueError("maps are compared on one grid [h, w]")
    return _pearson(one[chosen], other[chosen])


def _pearson(one: Floats, other: Floats) -> float | None:
    if len(one) < 2 or any(np.ptp(each) <= 1e-9 * max(1e-30, float(np.abs(each).max())) for each in (one, other)):
        return None
    return float(np.clip(np.corrcoef(one, other)[0, 1], -1.0, 1.0))


def _spearman(one: Floats, other: Floats) -> float:
    found = _pearson(rankdata(one), rankdata(other))
    return float("nan") if found is None else found


def _equally_many(
    first: npt.ArrayLike, second: npt.ArrayLike, groups: npt.ArrayLike
) -> tuple[Floats, Floats, npt.NDArray[np.generic]]:
    one, other, patients = np.asarray(first, np.float64), np.asarray(second, np.float64), np.asarray(groups)
    if not one.ndim == other.ndim == patients.ndim == 1 or not len(one) == len(other) == len(patients):
        raise InvalidValueError("the scores of two models and the patients of their films must be equally many")
    return one, other, patients
