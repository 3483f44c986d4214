"""How well a model tells films with a finding from films without: overall, at its operating point, and by subgroup."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np
import numpy.typing as npt
from scipy.stats import chi2
from sklearn.metrics import roc_curve

from medcam.core.errors import InvalidValueError
from medcam.evaluate.agreement_figure import SMALL_GROUPS, Figure
from medcam.evaluate.proportions import proportion
from medcam.evaluate.reliability import Calibration, calibration
from medcam.evaluate.roc_area import RocArea, roc_area
from medcam.evaluate.two_samples import holm

SMALL_RULE = (
    f"A group is small where fewer than {SMALL_GROUPS} patients have a film with the finding, or without it: its "
    "figures are shown and say little."
)
LEVEL = 0.05
"""Of all tests of subgroups together, after Holm's correction."""


@dataclass(frozen=True, eq=False)
class ScoredFilms:
    """One finding on films whose truth is known.

    Args:
        labels: bool [n], whether it is there.
        probabilities: [n], the model's.
        called: bool [n], whether the model calls it present.
        withheld: bool [n], whether the model makes no call, the film being out of distribution.
        patients: [n], the patient of each film.
        attributes: Groups of each film by attribute, each [n]; "" where it is not known.
    """

    labels: npt.NDArray[np.bool_]
    probabilities: npt.NDArray[np.float64]
    called: npt.NDArray[np.bool_]
    withheld: npt.NDArray[np.bool_]
    patients: npt.NDArray[np.str_]
    attributes: Mapping[str, npt.NDArray[np.str_]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        each = (self.labels, self.probabilities, self.called, self.withheld, self.patients, *self.attributes.values())
        if len({len(one) for one in each}) != 1:
            raise InvalidValueError("labels, probabilities, calls, patients and attributes must be equally many")

    def of(self, chosen: npt.NDArray[np.bool_]) -> ScoredFilms:
        """Some of the films."""
        return ScoredFilms(
            labels=self.labels[chosen],
            probabilities=self.probabilities[chosen],
            called=self.called[chosen],
            withheld=self.withheld[chosen],
            patients=self.patients[chosen],
            attributes={name: values[chosen] for name, values in self.attributes.items()},
        )


@dataclass(frozen=True, slots=True)
class GroupPerformance:
    """Figures of one group of films.

    Args:
        films: How many.
        patients: To how many patients they belong.
        patients_with: Patients with a film that has the finding.
        patients_without: Patients with a film that has it not.
        withheld: Films on which the model makes no call: left out of the figures at the operating point.
        auc: Area under the ROC curve.
        sensitivity: At the operating point.
        specificity: At the operating point.
        ppv: Share of the films called present that have the finding, at the prevalence of these films.
        npv: Share of the films called absent that have it not, likewise.
    """

    films: int
    patients: int
    patients_with: int
    patients_without: int
    withheld: int
    auc: Figure
    sensitivity: Figure
    specificity: Figure
    ppv: Figure
    npv: Figure

    @property
    def small(self) -> bool:
        """Whether `SMALL_RULE` holds."""
        return min(self.patients_with, self.patients_without) < SMALL_GROUPS


@dataclass(frozen=True, slots=True)
class GroupTest:
    """Whether a finding's AUC differs between the groups of an attribute.

    Cochran's Q over the groups that have an interval: the squared distances of their areas from the weighted mean in
    units of their variances, chi-square with one degree of freedom less than there are groups.

    Args:
        groups: How many groups have an interval.
        statistic: Q.
        p: Its p-value.
        adjusted: The same after Holm's correction over all findings and attributes.
    """

    groups: int
    statistic: float
    p: float
    adjusted: float

    @property
    def differs(self) -> bool:
        """Whether the groups differ at `LEVEL`."""
        return self.adjusted < LEVEL


@dataclass(frozen=True, slots=True)
class FindingPerformance:
    """One finding.

    Args:
        threshold: The operating point, on the probability.
        overall: All films.
        calibration: Of the probabilities.
        curve: ROC curve: false positive and true positive rate from (0, 0) to (1, 1).
        groups: By attribute and group.
        tests: By attribute, where at least two groups have an interval.
    """

    threshold: float
    overall: GroupPerformance
    calibration: Calibration
    curve: tuple[tuple[float, float], ...]
    groups: Mapping[str, Mapping[str, GroupPerformance]]
    tests: Mapping[str, GroupTest]


def performance(findings: Mapping[str, tuple[float, ScoredFilms]], *, seed: int = 0) -> dict[str, FindingPerformance]:
    """Figures of all findings.

    Args:
        findings: Operating point and films by finding.
        seed: Of the draws.
    """
    tests = {
        (name, attribute): test
        for name, (_, films) in findings.items()
        for attribute in films.attributes
        if (test := _test(films, attribute)) is not None
    }
    adjusted = holm({f"{name}\n{attribute}": test[2] for (name, attribute), test in tests.items()})
    found = {}
    for name, (threshold, films) in findings.items():
        own = {
            attribute: GroupTest(*test, adjusted[f"{name}\n{attribute}"])
            for (of, attribute), test in tests.items()
            if of == name
        }
        found[name] = FindingPerformance(
            threshold=threshold,
            overall=group_performance(films),
            calibration=calibration(films.labels, films.probabilities, films.patients, seed=seed),
            curve=_curve(films),
            groups={
                attribute: {group: group_performance(films.of(chosen)) for group, chosen in _parted(values)}
                for attribute, values in films.attributes.items()
            },
            tests=own,
        )
    return found


def group_performance(films: ScoredFilms) -> GroupPerformance:
    """Figures of one group of films."""
    truth, called, judged = films.labels, films.called, ~films.withheld
    patients = films.patients
    return GroupPerformance(
        films=len(truth),
        patients=len(np.unique(patients)),
        patients_with=len(np.unique(patients[truth])),
        patients_without=len(np.unique(patients[~truth])),
        withheld=int(films.withheld.sum()),
        auc=_area(films).figure,
        sensitivity=proportion(called[truth & judged], patients[truth & judged]),
        specificity=proportion(~called[~truth & judged], patients[~truth & judged]),
        ppv=proportion(truth[called & judged], patients[called & judged]),
        npv=proportion(~truth[~called & judged], patients[~called & judged]),
    )


def _area(films: ScoredFilms) -> RocArea:
    return roc_area(films.labels, films.probabilities, films.patients)


def _parted(values: npt.NDArray[np.str_]) -> list[tuple[str, npt.NDArray[np.bool_]]]:
    """The groups of an attribute with the films in each; films of which it is not known are left out."""
    return [(group, values == group) for group, _ in groupby(sorted(str(one) for one in values if one))]


def _test(films: ScoredFilms, attribute: str) -> tuple[int, float, float] | None:
    areas = [_area(films.of(chosen)) for _, chosen in _parted(films.attributes[attribute])]
    known = [(area.figure.value, area.variance) for area in areas if area.figure.value and area.variance]
    if len(known) < 2:
        return None
    values, weights = np.array([one for one, _ in known]), 1.0 / np.array([variance for _, variance in known])
    mean = float((values * weights).sum() / weights.sum())
    statistic = float((weights * (values - mean) ** 2).sum())
    return len(known), statistic, float(chi2.sf(statistic, len(known) - 1))


def _curve(films: ScoredFilms) -> tuple[tuple[float, float], ...]:
    if films.labels.all() or not films.labels.any():
        return ()
    false_rate, true_rate, _ = roc_curve(films.labels, films.probabilities)
    return tuple((round(float(x), 5), round(float(y), 5)) for x, y in zip(false_rate, true_rate, strict=True))
