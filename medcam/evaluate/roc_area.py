"""Area under the ROC curve with a closed-form interval in which patients, not films, are the unit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

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


def _area_and_variance(
    truth: npt.NDArray[np.bool_], values: npt.NDArray[np.float64], place: npt.NDArray[np.intp], count: int
) -> tuple[float, float]:
    with_it, without = values[truth], values[~truth]
    present, absent = len(with_it), len(without)
    # Placements: the share of the other kind that a film lies above (with it) or below (without), ties half.
    ranks = rankdata(values)
    above = (ranks[truth] - rankdata(with_it)) / absent
    below = 1.0 - (ranks[~truth] - rankdata(without)) / present
    area = float(above.mean())
    positive = np.bincount(place[truth], weights=above - area, minlength=count)
    negative = np.bincount(place[~truth], weights=below - area, minlength=count)
    patients_with, patients_without = (len(np.unique(place[kind])) for kind in (truth, ~truth))
    if min(patients_with, patients_without) < 2:
        return area, 0.0
    of_present = patients_with / (patients_with - 1) / present * float((positive**2).sum())
    of_absent = patients_without / (patients_without - 1) / absent * float((negative**2).sum())
    shared = count / (count - 1) * float((positive * negative).sum())
    return area, of_present / present + of_absent / absent + 2.0 * shared / (present * absent)
