"""ROC curves of one judge's grades against another judge's answers: agreement over all thresholds, not accuracy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.metrics import roc_curve

from medcam.core.errors import InvalidValueError
from medcam.evaluate.agreement_figure import (
    DRAWS,
    FEWEST_GROUPS,
    Doubt,
    Figure,
    Floats,
    nothing,
    percentile_figure,
)
from medcam.evaluate.classification import auc

FEWEST_OF_A_KIND = 5
"""Patients with and without the finding that an interval needs at least."""


@dataclass(frozen=True, slots=True)
class RocAgreement:
    """A ROC curve and the area under it.

    Args:
        area: Area under the curve.
        points: False positive and true positive rate from (0, 0) to (1, 1); empty where there is no curve.
    """

    area: Figure
    points: tuple[tuple[float, float], ...]


def roc_agreement(
    answers: npt.ArrayLike, grades: npt.ArrayLike, groups: npt.ArrayLike, *, seed: int = 0
) -> RocAgreement:
    """How well one judge's grades tell what another calls present from what they call absent.

    Args:
        answers: bool [n], the other judge's answers: the reference.
        grades: [n], the higher the surer that the finding is there, such as a confidence of 0 to 100.
        groups: [n], the patient of each case.
        seed: Of the bootstrap.

    Raises:
        InvalidValueError: The three differ in length.
    """
    truth, scores = np.asarray(answers, dtype=bool), np.asarray(grades, dtype=np.float64)
    patients = np.asarray(groups)
    if not truth.ndim == scores.ndim == patients.ndim == 1 or not len(truth) == len(scores) == len(patients):
        raise InvalidValueError("answers, grades and patients must be equally many")
    if not len(truth):
        return RocAgreement(nothing(), ())
    of_kind = [len(np.unique(patients[truth == kind])) for kind in (True, False)]
    cases, several = len(truth), len(np.unique(patients))
    if not all(of_kind):
        return RocAgreement(Figure(None, None, None, cases, several, Doubt.ONE_CATEGORY), ())
    false_rate, true_rate, _ = roc_curve(truth, scores)
    points = tuple(zip(map(float, false_rate), map(float, true_rate), strict=True))
    value = auc(truth, scores)
    if several < FEWEST_GROUPS or min(of_kind) < FEWEST_OF_A_KIND:
        return RocAgreement(Figure(value, None, None, cases, several, Doubt.FEW), points)
    area = percentile_figure(value, _drawn_areas(truth, scores, patients, seed), cases, several)
    return RocAgreement(area, points)


def _drawn_areas(truth: npt.NDArray[np.bool_], scores: Floats, patients: npt.NDArray[np.generic], seed: int) -> Floats:
    """Areas of samples drawn by patient: a case weighs as much as its patient was drawn. All draws in one go."""
    known, place = np.unique(patients, return_inverse=True)
    chances = np.full(len(known), 1.0 / len(known))
    drawn = np.random.default_rng(seed).multinomial(len(known), chances, size=DRAWS).astype(np.int32)
    order = np.argsort(scores, kind="stable")
    weights, present = drawn[:, place[order]], truth[order]
    levels = np.flatnonzero(np.diff(scores[order], prepend=-np.inf))
    yes, no = (np.add.reduceat(weights * kind, levels, axis=1).astype(np.float64) for kind in (present, ~present))
    surpassed = (yes * (no.cumsum(axis=1) - 0.5 * no)).sum(axis=1)
    areas = np.full(DRAWS, np.nan)
    possible = yes.sum(axis=1) * no.sum(axis=1)
    np.divide(surpassed, possible, out=areas, where=possible > 0)
    return areas
