"""How far two or more judges agree on whether a finding is there, beyond what chance would give.

None of these figures says who is right.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from medcam.core.errors import InvalidValueError
from medcam.evaluate.agreement_figure import Doubt, Figure, Floats, figure_of_sums, nothing
from medcam.evaluate.localisation import share_interval


@dataclass(frozen=True, slots=True)
class PairAgreement:
    """Two judges on the same cases.

    Args:
        both: Cases that both call present.
        first_only: Cases that only the first calls present.
        second_only: Cases that only the second calls present.
        neither: Cases that both call absent.
        kappa: Cohen's kappa.
        percent: Share of cases on which they agree, 0 to 1.
        adjusted: Prevalence-adjusted bias-adjusted kappa, 2 * percent - 1: -1 to 1.
    """

    both: int
    first_only: int
    second_only: int
    neither: int
    kappa: Figure
    percent: Figure
    adjusted: Figure

    @property
    def cases(self) -> int:
        """On how many cases both have spoken."""
        return self.both + self.first_only + self.second_only + self.neither

    @property
    def groups(self) -> int:
        """To how many patients these belong."""
        return self.percent.groups


def pair_agreement(
    first: npt.ArrayLike, second: npt.ArrayLike, groups: npt.ArrayLike, *, seed: int = 0
) -> PairAgreement:
    """Agreement of two judges: Cohen's kappa (1960), percent agreement, and PABAK (Byrt et al. 1993).

    Where kappa is 0 / 0 or 0 by construction it says so: the prevalence-adjusted figure is the one to look at then.

    Args:
        first: bool [n], what the first calls present.
        second: bool [n], what the second calls present.
        groups: [n], the patient of each case.
        seed: Of the bootstrap.

    Raises:
        InvalidValueError: The three differ in length.
    """
    one, other, patients = np.asarray(first, dtype=bool), np.asarray(second, dtype=bool), np.asarray(groups)
    if not one.ndim == other.ndim == patients.ndim == 1 or not len(one) == len(other) == len(patients):
        raise InvalidValueError("two judges and the patients of their cases must be equally many")
    if not len(one):
        return PairAgreement(0, 0, 0, 0, nothing(), nothing(), nothing())
    cells = np.stack([one & other, one & ~other, ~one & other, ~one & ~other], axis=1)
    both, first_only, second_only, neither = (int(count) for count in cells.sum(axis=0))
    kappa = figure_of_sums(cells, patients, _kappa, undefined=Doubt.ONE_CATEGORY, seed=seed)
    if kappa.value is not None and (one.all() or not one.any() or other.all() or not other.any()):
        kappa = Figure(kappa.value, None, None, kappa.cases, kappa.groups, Doubt.ONE_SIDED)
    percent = _percent(cells, patients, seed)
    low, high = _adjusted(percent.low), _adjusted(percent.high)
    adjusted = replace(percent, value=_adjusted(percent.value), low=low, high=high)
    return PairAgreement(both, first_only, second_only, neither, kappa, percent, adjusted)


def krippendorff_alpha(units: npt.ArrayLike, present: npt.ArrayLike, groups: npt.ArrayLike, *, seed: int = 0) -> Figure:
    """Krippendorff's alpha (nominal) of any number of judges, of whom not each has judged every unit.

    1 - observed over expected disagreement (Krippendorff 2011, "Computing Krippendorff's alpha-reliability"). Units
    that only one has judged do not count.

    Args:
        units: [n], the unit (film) of each answer.
        present: bool [n], the answers.
        groups: [n], the patient of each answer; the same for all answers to a unit.
        seed: Of the bootstrap.

    Returns:
        The figure; its `cases` are units with two answers or more.

    Raises:
        InvalidValueError: The three differ in length.
    """
    answers, patients = np.asarray(present, dtype=bool), np.asarray(groups)
    known, first, place = np.unique(np.asarray(units), return_index=True, return_inverse=True)
    if not answers.ndim == patients.ndim == 1 or not len(place) == len(answers) == len(patients):
        raise InvalidValueError("units, answers and patients must be equally many")
    said = np.bincount(place, minlength=len(known)).astype(np.float64)
    yes = np.bincount(place, weights=answers, minlength=len(known))
    paired = said >= 2
    if not paired.any():
        return nothing()
    said, yes, patients = said[paired], yes[paired], patients[first][paired]
    parts = np.stack([yes, said - yes, 2.0 * yes * (said - yes) / (said - 1.0)], axis=1)
    return figure_of_sums(parts, patients, _alpha, undefined=Doubt.ONE_CATEGORY, seed=seed)


def mean_figure(values: npt.ArrayLike, groups: npt.ArrayLike, *, seed: int = 0) -> Figure:
    """Mean of values with its interval over patients.

    Args:
        values: [n].
        groups: [n], the patient of each value.
        seed: Of the bootstrap.
    """
    numbers = np.asarray(values, dtype=np.float64)
    parts = np.stack([numbers, np.ones_like(numbers)], axis=1)
    return figure_of_sums(parts, groups, lambda sums: sums[:, 0] / sums[:, 1], undefined=Doubt.NO_CASES, seed=seed)


def share_figure(hits: npt.ArrayLike, groups: npt.ArrayLike, *, seed: int = 0) -> Figure:
    """Share of cases, 0 to 1, with its interval over patients.

    Where every draw gives the same share (all cases or none) it is the interval of Wilson (1927) with each patient as
    one case, which has a width there too.

    Args:
        hits: bool [n].
        groups: [n], the patient of each case.
        seed: Of the bootstrap.
    """
    cases = np.asarray(hits, dtype=bool)
    found = mean_figure(cases, groups, seed=seed)
    if found.doubt is not Doubt.NO_SPREAD or cases.any() != cases.all():
        return found
    ends = share_interval(np.full(found.groups, cases[0]))
    return Figure(found.value, ends.low, ends.high, found.cases, found.groups)


def _percent(cells: npt.NDArray[np.bool_], patients: npt.NDArray[np.generic], seed: int) -> Figure:
    return share_figure(cells[:, 0] | cells[:, 3], patients, seed=seed)


def _adjusted(share: float | None) -> float | None:
    return None if share is None else 2.0 * share - 1.0


def _kappa(sums: Floats) -> Floats:
    both, first_only, second_only, neither = sums.T
    total = sums.sum(axis=1)
    one, other = (both + first_only) / total, (both + second_only) / total
    expected = one * other + (1.0 - one) * (1.0 - other)
    return _ratio((both + neither) / total - expected, 1.0 - expected)


def _alpha(sums: Floats) -> Floats:
    yes, no, unlike = sums.T
    total = yes + no
    return 1.0 - _ratio(unlike * (total - 1.0), 2.0 * yes * no)


def _ratio(over: Floats, under: Floats) -> Floats:
    out = np.full(over.shape, np.nan)
    np.divide(over, under, out=out, where=under > 1e-12)
    return out
