"""Means and slopes over films, with intervals over patients."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from medcam.evaluate.agreement_figure import Doubt, Figure, figure_of_sums, nothing


def patient_mean(values: Sequence[float], patients: Sequence[str], seed: int = 0) -> Figure:
    """Mean of the values that there are, nan counting as none, with its 95 % bootstrap interval over patients."""
    known = [(value, patient) for value, patient in zip(values, patients, strict=True) if np.isfinite(value)]
    if not known:
        return nothing()
    parts = np.array([[value, 1.0] for value, _ in known])
    return figure_of_sums(parts, [patient for _, patient in known], _ratio, undefined=Doubt.NO_CASES, seed=seed)


def patient_slope(x: Sequence[float], y: Sequence[float], patients: Sequence[str], seed: int = 0) -> Figure:
    """Least-squares slope through 0 of y on x, sum(x y) / sum(x x), with its 95 % bootstrap interval over patients."""
    if not x:
        return nothing()
    parts = np.array([[a * b, a * a] for a, b in zip(x, y, strict=True)])
    return figure_of_sums(parts, list(patients), _ratio, undefined=Doubt.NO_CASES, seed=seed)


def _ratio(sums: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    below = np.where(sums[:, 1] != 0.0, sums[:, 1], np.nan)
    return np.asarray(sums[:, 0] / below, dtype=np.float64)
