"""Platt's calibration (1999): scores become logits whose probabilities are right."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression


def platt(scores: npt.ArrayLike, labels: npt.ArrayLike) -> tuple[float, float]:
    """Scale and shift that make scores well calibrated: logit = scale * score + shift.

    The targets are Platt's (1999, equation 4): not 1 and 0 but what so many films allow to be believed. Otherwise a
    finding that these films separate without an error would get logits without a bound.

    Args:
        scores: [n], of films that the scores were not fitted to.
        labels: [n], 1 with the finding, 0 without.

    Returns:
        A positive scale, and a shift. (1, 0) where one class is missing, or where the scores rank the films no better
        than chance: a calibration never turns a finding around.
    """
    values, truth = np.asarray(scores, dtype=np.float64), np.asarray(labels)
    present, absent = int((truth == 1).sum()), int((truth == 0).sum())
    if not present or not absent:
        return 1.0, 0.0
    target = np.where(truth == 1, (present + 1) / (present + 2), 1 / (absent + 2))
    # A film with a target between 1 and 0 is a share of a film with the finding and a share of one without it.
    twice, both = np.concatenate([values, values])[:, None], np.repeat([1, 0], len(values))
    spread = max(float(values.std()), 1e-6)
    fitted = LogisticRegression(C=1e6, max_iter=1000).fit(
        twice / spread, both, sample_weight=np.concatenate([target, 1.0 - target])
    )
    if fitted.coef_[0, 0] <= 0:
        return 1.0, 0.0
    return float(fitted.coef_[0, 0] / spread), float(fitted.intercept_[0])
