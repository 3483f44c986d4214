"""A figure of agreement with its interval, or with the reason why there is none.

Films of one patient are alike, so whole patients are drawn (cluster bootstrap, Field and Welsh 2007). What agreement is
computed from are sums over cases, so a draw is a sum over patients; patients with equal sums are drawn together, which
gives the same distribution in a fraction of the time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from medcam.core.errors import InvalidValueError

DRAWS = 1000
FEWEST_GROUPS = 10
"""With fewer patients a bootstrap interval is too narrow to be shown."""
SMALL_GROUPS = 30
"""Below so many patients an interval is shown with a warning."""
_MOST_UNDEFINED = 0.05

Floats = npt.NDArray[np.float64]
Statistic = Callable[[Floats], Floats]
"""Sums [draws, parts] to the figure of each draw [draws]; nan where it has none."""


class Doubt(StrEnum):
    """Why a figure, or its interval, is not there or says little."""

    NO_CASES = "no-cases"
    """There is nothing to compare."""
    ONE_CATEGORY = "one-category"
    """Both sides gave one and the same answer to every case: chance alone explains it, and kappa is 0 / 0."""
    ONE_SIDED = "one-sided"
    """One side gave the same answer to every case: kappa is 0 whatever the other side says."""
    FEW = "few"
    """Fewer than `FEWEST_GROUPS` patients: no interval."""
    NO_SPREAD = "no-spread"
    """Every draw gives the same figure: the interval would have no width, which is not what is known."""
    UNSTABLE = "unstable"
    """More than one draw in twenty has no figure: one answer is too rare for an interval."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with its 95 % interval.

    Args:
        value: The figure; None where there is none, for the reason in `doubt`.
        low: Lower end of the interval; None where there is none.
        high: Upper end of the interval; None where there is none.
        cases: How many pairs of answers it is computed from.
        groups: How many patients they belong to.
        doubt: Why value or interval are not there or say little; None where there is no such reason.
    """

    value: float | None
    low: float | None
    high: float | None
    cases: int
    groups: int
    doubt: Doubt | None = None

    def __post_init__(self) -> None:
        if self.value is None and self.doubt is None:
            raise InvalidValueError("a figure that is not there says why")
        if self.low is None and self.high is None:
            return
        if self.value is None or self.low is None or self.high is None or not self.low <= self.value <= self.high:
            raise InvalidValueError("an interval has two ends and a value between them")

    @property
    def small(self) -> bool:
        """Whether it stands on so few patients that its interval is not to be trusted far."""
        return self.groups < SMALL_GROUPS


def nothing() -> Figure:
    """The figure of no cases."""
    return Figure(None, None, None, 0, 0, Doubt.NO_CASES)


def group_sums(parts: npt.ArrayLike, groups: npt.ArrayLike) -> Floats:
    """Sums of the cases' parts by patient.

    Args:
        parts: [n, parts].
        groups: [n], the patient of each case.

    Returns:
        float64 [patients, parts].

    Raises:
        InvalidValueError: The two do not belong together.
    """
    values, patients = np.asarray(parts, dtype=np.float64), np.asarray(groups)
    if values.ndim != 2 or patients.shape != values.shape[:1]:
        raise InvalidValueError(f"parts of {values.shape} and groups of {patients.shape} do not belong together")
    known, place = np.unique(patients, return_inverse=True)
    sums = np.zeros((len(known), values.shape[1]))
    np.add.at(sums, place, values)
    return sums


def figure_of_sums(
    parts: npt.ArrayLike, groups: npt.ArrayLike, statistic: Statistic, *, undefined: Doubt, seed: int = 0
) -> Figure:
    """A figure computed from sums over cases, with its 95 % percentile interval over patients.

    Args:
        parts: [n, parts]: what each case adds.
        groups: [n], the patient of each case; cases of one patient are drawn together.
        statistic: From sums to the figure.
        undefined: What to say where the statistic has no value.
        seed: Of the bootstrap.
    """
    sums = group_sums(parts, groups)
    cases, patients = len(np.asarray(groups)), len(sums)
    if not cases:
        return nothing()
    value = float(statistic(sums.sum(axis=0, keepdims=True))[0])
    if np.isnan(value):
        return Figure(None, None, None, cases, patients, undefined)
    if patients < FEWEST_GROUPS:
        return Figure(value, None, None, cases, patients, Doubt.FEW)
    return percentile_figure(value, statistic(_drawn(sums, seed)), cases, patients)


def percentile_figure(value: float, draws: Floats, cases: int, groups: int) -> Figure:
    """A figure with the percentile interval of its bootstrap draws, nan where a draw has no figure."""
    known = draws[~np.isnan(draws)]
    if len(known) < (1.0 - _MOST_UNDEFINED) * len(draws):
        return Figure(value, None, None, cases, groups, Doubt.UNSTABLE)
    low, high = (float(end) for end in np.percentile(known, [2.5, 97.5]))
    if high - low < 1e-9:
        return Figure(value, None, None, cases, groups, Doubt.NO_SPREAD)
    return Figure(value, min(low, value), max(high, value), cases, groups)


def _drawn(sums: Floats, seed: int) -> Floats:
    patterns, counts = np.unique(sums, axis=0, return_counts=True)
    drawn = np.random.default_rng(seed).multinomial(len(sums), counts / len(sums), size=DRAWS)
    return np.asarray(drawn @ patterns, dtype=np.float64)
