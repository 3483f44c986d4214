"""How well probabilities tell films with a finding from films without, and how well they are calibrated."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata
from sklearn.metrics import roc_curve

from medcam.core.card import Interval
from medcam.core.errors import InvalidValueError

BOOTSTRAPS = 500
BINS = 15


def auc(labels: npt.ArrayLike, scores: npt.ArrayLike) -> float:
    """Area under the ROC curve; nan where only one class is there.

    From ranks (Mann and Whitney 1947; ties count half): many times as quick as drawing the curve, for the bootstrap.
    """
    truth = np.asarray(labels)
    positive = truth == 1
    present, absent = int(positive.sum()), int((~positive).sum())
    if not present or not absent:
        return float("nan")
    surplus = rankdata(np.asarray(scores))[positive].sum() - present * (present + 1) / 2
    return float(surplus / (present * absent))


def auc_interval(
    labels: npt.ArrayLike, scores: npt.ArrayLike, patients: npt.ArrayLike | None = None, *, seed: int = 0
) -> Interval:
    """AUC with its 95 % bootstrap interval over patients.

    Args:
        labels: [n], 0 or 1; both must occur.
        scores: [n].
        patients: [n], films of one patient are drawn together; each film is a patient when None.
        seed: Of the bootstrap.

    Raises:
        InvalidValueError: Only one class is there.
    """
    truth, values = np.asarray(labels), np.asarray(scores, dtype=np.float64)
    if len(np.unique(truth)) < 2:
        raise InvalidValueError("an AUC needs films with and without the finding")
    groups = np.arange(len(truth)) if patients is None else np.asarray(patients)
    drawn = [auc(truth[index], values[index]) for index in resampled(groups, BOOTSTRAPS, seed)]
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    value = auc(truth, values)
    return Interval(value, min(float(low), value), max(float(high), value))


def resampled(patients: npt.NDArray[np.int64], count: int, seed: int) -> list[npt.NDArray[np.int64]]:
    """Bootstrap samples of films, drawn by patient: `count` index arrays."""
    rng = np.random.default_rng(seed)
    order = np.argsort(patients, kind="stable")
    _, starts = np.unique(patients[order], return_index=True)
    films = np.split(order, starts[1:])
    if len(films) == len(patients):
        return list(rng.integers(len(patients), size=(count, len(patients))))
    return [np.concatenate([films[i] for i in rng.integers(len(films), size=len(films))]) for _ in range(count)]


def youden_threshold(labels: npt.ArrayLike, probabilities: npt.ArrayLike) -> float:
    """The probability at which sensitivity + specificity is largest (Youden 1950); 0.5 where only one class is there.

    Halfway to the next probability below, so that rounding does not move a film across.
    """
    truth, values = np.asarray(labels), np.asarray(probabilities, dtype=np.float64)
    if len(np.unique(truth)) < 2:
        return 0.5
    false_positives, true_positives, thresholds = roc_curve(truth, values)
    best = int(np.argmax(true_positives - false_positives))
    below = values[values < thresholds[best]]
    chosen = 0.5 * (thresholds[best] + (below.max() if below.size else 0.0))
    return float(np.clip(chosen, 1e-4, 1.0 - 1e-4))


def expected_calibration_error(labels: npt.ArrayLike, probabilities: npt.ArrayLike, bins: int = BINS) -> float:
    """Expected calibration error (Naeini et al. 2015) of binary predictions, over bins of equal width.

    Args:
        labels: [n], 0 or 1.
        probabilities: [n].
        bins: How many.

    Returns:
        Mean over films of the difference between the mean probability and the share of positives of their bin, 0 to 1.
    """
    truth = np.asarray(labels, dtype=np.float64).ravel()
    values = np.asarray(probabilities, dtype=np.float64).ravel()
    place = np.minimum((values * bins).astype(np.int64), bins - 1)
    difference = np.bincount(place, weights=values - truth, minlength=bins)
    return float(np.abs(difference).sum() / max(len(values), 1))
