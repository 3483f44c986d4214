"""Whether films, scores or evidence of a later period are another population than those of an earlier one.

Every test is of the hypothesis that both periods are draws from one population. All tests of a comparison are one
family under Holm's correction, so that the chance of any false alarm is at most `LEVEL`. A patient counts once per
period.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from medcam.evaluate.two_samples import TwoSampleTest, category_test, holm, kernel_test, ks_test

LEVEL = 0.05
FEWEST = 10
"""With fewer cases in either period nothing is tested."""
MOST_CATEGORIES = 50
FEATURES, STRANGENESS = "features", "out-of-distribution score"
"""The two tests of films."""


class DriftKind(StrEnum):
    """What may have drifted."""

    ATTRIBUTE = "attribute"
    """Acquisition and patients: view, manufacturer, sex, age."""
    INPUT = "input"
    """The films, as the network's pooled features, and as their distance from its training films' (the
    out-of-distribution score)."""
    SCORE = "score"
    """Logits, finding by finding and all together."""
    EVIDENCE = "evidence"
    """Where the positive evidence of films called present lies: shares per zone."""


@dataclass(frozen=True, eq=False)
class PeriodFilms:
    """What the record holds of the films of a period, one film per patient.

    Args:
        attributes: Categories by attribute, [n] each; "" where it is not known.
        numbers: Numbers by attribute, [n] each; nan where they are not known.
        strangeness: Out-of-distribution scores [n]; nan where there is none.
        logits: [n] by finding.
        shares: Shares of the positive evidence per zone of the films called present, [films, zones] by finding.
        zones: Names of the zones.
        features: The network's pooled features [m, k] of films of the period, all or some drawn at random; None where
            the record holds none.
    """

    attributes: Mapping[str, Sequence[str]]
    numbers: Mapping[str, npt.NDArray[np.float64]]
    strangeness: npt.NDArray[np.float64]
    logits: Mapping[str, npt.NDArray[np.float64]]
    shares: Mapping[str, npt.NDArray[np.float64]]
    zones: tuple[str, ...] = ()
    features: npt.NDArray[np.float64] | None = None

    @property
    def films(self) -> int:
        """How many films."""
        return len(self.strangeness)


@dataclass(frozen=True, slots=True)
class DriftTest:
    """One test.

    Args:
        kind: What may have drifted.
        what: Which attribute or finding.
        test: What the test says.
        adjusted: Its p-value after Holm's correction over all tests of the comparison.
        change: What changed most, in words.
    """

    kind: DriftKind
    what: str
    test: TwoSampleTest
    adjusted: float
    change: str

    @property
    def drifted(self) -> bool:
        """Whether it is called drift at `LEVEL`."""
        return self.adjusted < LEVEL


@dataclass(frozen=True, slots=True)
class Drift:
    """A comparison of two periods.

    Args:
        before: Films of the earlier one, one per patient.
        after: Films of the later one.
        tests: In the order of their kinds.
        untested: What could not be tested, with the reason.
    """

    before: int
    after: int
    tests: tuple[DriftTest, ...]
    untested: Mapping[str, str] = field(default_factory=dict)

    def drifted(self, kind: DriftKind | None = None) -> bool:
        """Whether anything drifted, or anything of a kind."""
        return any(test.drifted for test in self.tests if kind in (None, test.kind))


_Found = tuple[DriftKind, str, TwoSampleTest | None, str]


def compare_periods(before: PeriodFilms, after: PeriodFilms, *, seed: int = 0) -> Drift:
    """Tests inputs, scores and evidence of two periods for drift.

    Args:
        before: The earlier period.
        after: The later one.
        seed: Of the permutations.
    """
    found = [
        *_attributes(before, after, seed),
        *_inputs(before, after, seed),
        *_scores(before, after, seed),
        *_evidence(before, after, seed),
    ]
    done = [(kind, what, test, change) for kind, what, test, change in found if test is not None]
    adjusted = holm({f"{kind}\n{what}": test.p for kind, what, test, _ in done})
    return Drift(
        before=before.films,
        after=after.films,
        tests=tuple(DriftTest(kind, what, test, adjusted[f"{kind}\n{what}"], told) for kind, what, test, told in done),
        untested={f"{kind}: {what}": reason for kind, what, test, reason in found if test is None},
    )


def _attributes(before: PeriodFilms, after: PeriodFilms, seed: int) -> Iterator[_Found]:
    for name in sorted(before.attributes.keys() & after.attributes.keys()):
        one, other = ([value for value in period.attributes[name] if value] for period in (before, after))
        kinds = sorted({*one, *other})
        if (few := _too_few(one, other)) or len(kinds) > MOST_CATEGORIES:
            yield DriftKind.ATTRIBUTE, name, None, few or f"more than {MOST_CATEGORIES} categories"
        elif len(kinds) > 1:
            gap = {kind: other.count(kind) / len(other) - one.count(kind) / len(one) for kind in kinds}
            most = max(kinds, key=lambda kind: abs(gap[kind]))
            words = f"{most}: {one.count(most) / len(one):.0%} before, {other.count(most) / len(other):.0%} after"
            yield DriftKind.ATTRIBUTE, name, category_test(one, other, seed=seed), words
    for name in sorted(before.numbers.keys() & after.numbers.keys()):
        yield _numbers(DriftKind.ATTRIBUTE, name, before.numbers[name], after.numbers[name])


def _inputs(before: PeriodFilms, after: PeriodFilms, seed: int) -> Iterator[_Found]:
    """Features as vectors, as in Rabanser et al. 2019 ("Failing loudly", NeurIPS), and their distance as a number."""
    yield DriftKind.INPUT, FEATURES, *_features(before.features, after.features, seed)
    yield _numbers(DriftKind.INPUT, STRANGENESS, before.strangeness, after.strangeness)


def _features(
    before: npt.NDArray[np.float64] | None, after: npt.NDArray[np.float64] | None, seed: int
) -> tuple[TwoSampleTest | None, str]:
    if before is None or after is None or before.shape[1:] != after.shape[1:]:
        return None, "the record holds none: films annotated by an older version"
    if few := _too_few(before, after):
        return None, few
    pooled = np.concatenate([before, after])
    live = pooled.std(axis=0) > 0.0
    gap = (after.mean(axis=0) - before.mean(axis=0))[live] / pooled.std(axis=0)[live]
    moved = float(np.sqrt((gap**2).mean())) if live.any() else 0.0
    words = f"means {moved:.2f} standard deviations apart, root mean square of {int(live.sum())} features"
    return kernel_test(before, after, seed=seed), words


def _scores(before: PeriodFilms, after: PeriodFilms, seed: int) -> Iterator[_Found]:
    names = [name for name in before.logits if name in after.logits]
    for name in names:
        yield _numbers(DriftKind.SCORE, name, before.logits[name], after.logits[name])
    if len(names) > 1:
        one, other = (np.stack([period.logits[name] for name in names], axis=1) for period in (before, after))
        few = _too_few(one, other)
        test = None if few else kernel_test(one, other, seed=seed)
        yield DriftKind.SCORE, "all findings together", test, few or "joint distribution of the logits"


def _evidence(before: PeriodFilms, after: PeriodFilms, seed: int) -> Iterator[_Found]:
    for name in before.shares:
        if name not in after.shares:
            continue
        one, other = before.shares[name], after.shares[name]
        if few := _too_few(one, other):
            yield DriftKind.EVIDENCE, name, None, f"films called present: {few}"
            continue
        gap = other.mean(axis=0) - one.mean(axis=0)
        most = int(np.argmax(np.abs(gap)))
        words = f"{before.zones[most]}: {one[:, most].mean():.0%} before, {other[:, most].mean():.0%} after"
        yield DriftKind.EVIDENCE, name, kernel_test(one, other, seed=seed), words


def _numbers(kind: DriftKind, what: str, before: npt.NDArray[np.float64], after: npt.NDArray[np.float64]) -> _Found:
    one, other = (values[~np.isnan(values)] for values in (before, after))
    if few := _too_few(one, other):
        return kind, what, None, few
    words = f"median {np.median(one):.3g} before, {np.median(other):.3g} after"
    return kind, what, ks_test(one, other), words


def _too_few(
    before: Sequence[object] | npt.NDArray[np.float64], after: Sequence[object] | npt.NDArray[np.float64]
) -> str:
    fewest = min(len(before), len(after))
    return f"{fewest} films in a period, {FEWEST} are needed" if fewest < FEWEST else ""
