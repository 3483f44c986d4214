"""Area under the ROC curve with a closed-form interval in which patients, not films, are the unit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import norm, rankdata

from medcam.core.errors import InvalidValueError
from medcam.evaluate.agreement_figure import FEWEST_GROUPS, Doubt, Figure, nothing
from medcam.evaluate.agreement_roc import FEWEST_OF_A_KIND
from medcam.evaluate.localisation import share_interval

Z95 = 1.959963984540054
"""Of a 95 % interval under the normal distribution."""


@dataclass(frozen=True, slots=True)
class RocArea:
    """An area under the ROC curve.

    Args:
        figure: Area with its interval.
        variance: Of the area; None where it is not known.
    """

    figure: Figure
    variance: float | None


def roc_area(labels: npt.ArrayLike, scores: npt.ArrayLike, patients: npt.ArrayLike) -> RocArea:
    """Area under the ROC curve, with Obuchowski's variance for clustered films and an interval on the logit scale.

    With one film per patient the variance is that of DeLong, DeLong and Clarke-Pearson (Biometrics 1988); with several
    it is Obuchowski's (Biometrics 1997, "Nonparametric analysis of clustered ROC curve data"). The interval is taken on
    the logit of the area (Pepe 2003, section 5.2.4), so that it stays between 0 and 1.

    Args:
        labels: [n], 1 with the finding, 0 without.
        scores: [n], the higher the surer that it is there.
        patients: [n], the patient of each film.

    Returns:
        The area; without an interval where fewer than `FEWEST_OF_A_KIND` patients have a film of either kind. A perfect
        curve has no variance: as many pairs of patients as there are of the rarer kind are independent of each other,
        each in order with the area as its chance, and all of them are, so Wilson's interval of that share is taken.

    Raises:
        InvalidValueError: The three differ in length.
    """
    truth, values, groups = np.asarray(labels) == 1, np.asarray(scores, dtype=np.float64), np.asarray(patients)
    if not truth.ndim == values.ndim == groups.ndim == 1 or not len(truth) == len(values) == len(groups):
        raise InvalidValueError("labels, scores and patients must be equally many")
    if not len(truth):
        return RocArea(nothing(), None)
    known, place = np.unique(groups, return_inverse=True)
    count, films = len(known), len(truth)
    if truth.all() or not truth.any():
        return RocArea(Figure(None, None, None, films, count, Doubt.ONE_CATEGORY), None)
    area, variance = _area_and_variance(truth, values, place, count)
    of_kind = min(len(np.unique(place[truth])), len(np.unique(place[~truth])))
    if of_kind < FEWEST_OF_A_KIND or count < FEWEST_GROUPS:
        return RocArea(Figure(area, None, None, films, count, Doubt.FEW), None)
    if area in (0.0, 1.0):
        ends = share_interval(np.full(of_kind if count >= 2 * of_kind else of_kind // 2, bool(area)))
        return RocArea(Figure(area, ends.low, ends.high, films, count), None)
    if variance <= 1e-12:
        return RocArea(Figure(area, None, None, films, count, Doubt.NO_SPREAD), None)
    logit, width = np.log(area / (1.0 - area)), Z95 * np.sqrt(variance) / (area * (1.0 - area))
    low, high = (float(1.0 / (1.0 + np.exp(-end))) for end in (logit - width, logit + width))
    return RocArea(Figure(area, min(low, area), max(high, area), films, count), variance)


def roc_difference(
    labels: npt.ArrayLike, first: npt.ArrayLike, second: npt.ArrayLike, patients: npt.ArrayLike
) -> tuple[Figure, float | None]:
    """Difference of the areas under two ROC curves of the same films, and the p-value of its test.

    The paired comparison of DeLong, DeLong and Clarke-Pearson (Biometrics 1988), with Obuchowski's variance (Biometrics
    1997) where patients have several films. The variance is that of the difference of the films' placements, so that
    what the two scores share cancels.

    Args:
        labels: [n], 1 with the finding, 0 without.
        first: [n], scores of one.
        second: [n], scores of the other.
        patients: [n], the patient of each film.

    Returns:
        Area of the second minus that of the first, with an interval under the normal distribution; and the two-sided
        p-value of no difference. Without both where fewer than `FEWEST_OF_A_KIND` patients have a film of either
        kind, or where the two rank the films alike.

    Raises:
        InvalidValueError: They differ in length.
    """
    truth, groups = np.asarray(labels) == 1, np.asarray(patients)
    one, other = (np.asarray(scores, dtype=np.float64) for scores in (first, second))
    if not truth.ndim == 1 or not truth.shape == one.shape == other.shape == groups.shape:
        raise InvalidValueError("labels, scores and patients must be equally many")
    known, place = np.unique(groups, return_inverse=True)
    count, films = len(known), len(truth)
    if not films or truth.all() or not truth.any():
        return (Figure(None, None, None, films, count, Doubt.ONE_CATEGORY) if films else nothing()), None
    (above, below), (above_before, below_before) = _placements(truth, other), _placements(truth, one)
    value = float(above.mean() - above_before.mean())
    of_kind = min(len(np.unique(place[truth])), len(np.unique(place[~truth])))
    if of_kind < FEWEST_OF_A_KIND or count < FEWEST_GROUPS:
        return Figure(value, None, None, films, count, Doubt.FEW), None
    variance = _clustered_variance(truth, above - above_before, below - below_before, place, count)
    if variance <= 1e-12:
        return Figure(value, None, None, films, count, Doubt.NO_SPREAD), None
    width = Z95 * np.sqrt(variance)
    p = float(2.0 * norm.sf(abs(value) / np.sqrt(variance)))
    return Figure(value, float(value - width), float(value + width), films, count), p


def _area_and_variance(
    truth: npt.NDArray[np.bool_], values: npt.NDArray[np.float64], place: npt.NDArray[np.intp], count: int
) -> tuple[float, float]:
    above, below = _placements(truth, values)
    return float(above.mean()), _clustered_variance(truth, above, below, place, count)


def _placements(
    truth: npt.NDArray[np.bool_], values: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The share of the other kind that a film lies above (with it) or below (without), ties half."""
    with_it, without = values[truth], values[~truth]
    ranks = rankdata(values)
    above = (ranks[truth] - rankdata(with_it)) / len(without)
    below = 1.0 - (ranks[~truth] - rankdata(without)) / len(with_it)
    return above, below


def _clustered_variance(
    truth: npt.NDArray[np.bool_],
    above: npt.NDArray[np.float64],
    below: npt.NDArray[np.float64],
    place: npt.NDArray[np.intp],
    count: int,
) -> float:
    """Obuchowski's variance of a mean of placements, or of differences of placements."""
    present, absent = len(above), len(below)
    mean = above.mean()
    positive = np.bincount(place[truth], weights=above - mean, minlength=count)
    negative = np.bincount(place[~truth], weights=below - mean, minlength=count)
    patients_with, patients_without = (len(np.unique(place[kind])) for kind in (truth, ~truth))
    if min(patients_with, patients_without) < 2:
        return 0.0
    of_present = patients_with / (patients_with - 1) / present * float((positive**2).sum())
    of_absent = patients_without / (patients_without - 1) / absent * float((negative**2).sum())
    shared = count / (count - 1) * float((positive * negative).sum())
    return of_present / present + of_absent / absent + 2.0 * shared / (present * absent)
