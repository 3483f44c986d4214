"""Correction of p-values for the number of tests."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import false_discovery_control

from medcam.core.errors import InvalidValueError


def benjamini_hochberg(p_values: Sequence[float | None]) -> list[float | None]:
    """Adjusted p-values (q) by the step-up procedure of Benjamini and Hochberg (1995).

    Telling all with q <= 0.05 keeps the expected share of false ones among them at 5 % or less, for tests that are
    independent or positively dependent.

    Args:
        p_values: 0 to 1 each; None for a test that could not be made, which does not count.

    Returns:
        One per p-value, in order.

    Raises:
        InvalidValueError: One lies outside 0 and 1.
    """
    made = np.array([value for value in p_values if value is not None], dtype=np.float64)
    if made.size == 0:
        return [None] * len(p_values)
    if not ((made >= 0.0) & (made <= 1.0)).all():
        raise InvalidValueError("a p-value lies between 0 and 1")
    adjusted = iter(false_discovery_control(made, method="bh").tolist())
    return [None if value is None else float(next(adjusted)) for value in p_values]
