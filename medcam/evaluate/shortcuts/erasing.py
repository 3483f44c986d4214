"""What erasing a place changes, against erasing as much elsewhere: intervals over patients, test, verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student

from medcam.core.card import Interval
from medcam.core.errors import InvalidValueError
from medcam.evaluate.shortcuts.multiplicity import benjamini_hochberg
from medcam.evaluate.shortcuts.record import Place, PlaceErasing
from medcam.evaluate.shortcuts.rule import RULE, Basis, Severity, ShortcutRule

BOOTSTRAPS = 2000
Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ErasedFilms:
    """All films that one finding and place are judged on, those without the place too.

    Args:
        finding: Its name.
        place: See `Place`.
        patients: [n], one per film.
        there: bool [n]: whether the film has the place; on some it has to be.
        change: float [n]: of the logit, by erasing the place; 0 on a film without it.
        control: float [n]: by erasing as much elsewhere, the mean over the controls of the film; 0 likewise.
        turned: bool [n]: whether the answer turned by erasing the place.
        called: bool [n]: whether the model calls the finding present on the film as it is.
        labels: int [n]: 1 for films with the finding, 0 for films without, -1 where nobody judged.
        spread: Standard deviation of the finding's logit over all films.
    """

    finding: str
    place: Place
    patients: Sequence[str]
    there: npt.ArrayLike
    change: npt.ArrayLike
    control: npt.ArrayLike
    turned: npt.ArrayLike
    called: npt.ArrayLike
    labels: npt.ArrayLike
    spread: float


@dataclass(frozen=True, eq=False)
class _Test:
    """One test of a finding and place: the excess per patient on one side or two, and the change without control."""

    basis: Basis
    samples: Sequence[Array]
    own: float
    p: float | None


def judge_erasing(rows: Sequence[ErasedFilms], rule: ShortcutRule = RULE) -> tuple[PlaceErasing, ...]:
    """Figures and verdicts of all findings and places of one model, corrected for the number of all tests together.

    Args:
        rows: One per finding and place.
        rule: Of the verdicts.

    Raises:
        InvalidValueError: No film of a row has the place, its columns differ in length, or its spread is not positive.
    """
    judged = [_figures(row, rule) for row in rows]
    adjusted = iter(benjamini_hochberg([test.p for _, tests in judged for test in tests]))
    return tuple(_verdict(figure, [(test, next(adjusted)) for test in tests], rule) for figure, tests in judged)


def _figures(row: ErasedFilms, rule: ShortcutRule) -> tuple[PlaceErasing, list[_Test]]:
    """The figures of a row, and its tests."""
    change, control = (np.asarray(each, dtype=np.float64) for each in (row.change, row.control))
    there, turned = (np.asarray(each, dtype=np.bool_) for each in (row.there, row.turned))
    lengths = {len(each) for each in (change, control, turned, there, row.patients)}
    lengths |= {np.asarray(each).shape[0] for each in (row.called, row.labels)}
    if len(lengths) > 1 or not there.any() or row.spread <= 0.0:
        raise InvalidValueError("erasing is judged on films with a change and a control each, and logits that differ")
    _, groups = np.unique(np.asarray(row.patients, dtype=str), return_inverse=True)
    columns = np.column_stack([change, control, change - control, turned])[there]
    own, elsewhere, difference, answers = _means(columns, np.unique(groups[there], return_inverse=True)[1])
    tests = _tests(row, (change - control) / row.spread, change / row.spread, groups, rule)
    figure = PlaceErasing(
        finding=row.finding,
        place=row.place,
        films=int(there.sum()),
        patients=len(np.unique(groups[there])),
        change=own,
        control=elsewhere,
        excess=difference,
        effect=Interval(0.0, 0.0, 0.0),
        everywhere=bool(there.mean() >= rule.everywhere),
        turned=answers,
        p=None,
        q=None,
        severity=Severity.UNKNOWN,
        reason="",
        basis=tests[0].basis,
    )
    return figure, tests


def _tests(
    row: ErasedFilms, excess: Array, change: Array, groups: npt.NDArray[np.int64], rule: ShortcutRule
) -> list[_Test]:
    there, called, labels = np.asarray(row.there), np.asarray(row.called), np.asarray(row.labels)
    sides: dict[Basis, list[npt.NDArray[np.bool_]]] = {}
    if there.mean() < rule.everywhere:
        sides[Basis.PLACE] = [there]
    with_, without = labels == 1, labels == 0
    if min(len(np.unique(groups[side])) for side in (with_, without)) >= rule.fewest:
        sides[Basis.LABEL] = [with_, without]
    elif Basis.PLACE not in sides:
        sides[Basis.CALL] = [there & called, there & ~called]
    found = []
    for basis, masks in sides.items():
        samples, alone = ([_per_patient(each[mask], groups[mask]) for mask in masks] for each in (excess, change))
        fewest = min(len(np.unique(groups[there])), *map(len, samples))
        judged = fewest >= rule.fewest
        own = _mean_contrast(alone) if judged else 0.0
        found.append(_Test(basis, samples, own, beyond(rule.smallest, *samples) if judged else None))
    return found


def _per_patient(values: Array, groups: npt.NDArray[np.int64]) -> Array:
    """Mean of every patient who is there."""
    _, numbers = np.unique(groups, return_inverse=True)
    return np.asarray(np.bincount(numbers, weights=values) / np.bincount(numbers), dtype=np.float64)


def _mean_contrast(samples: Sequence[Array]) -> float:
    return float(samples[0].mean() - (samples[1].mean() if len(samples) > 1 else 0.0))


def _contrast(samples: Sequence[Array]) -> Interval:
    """The first mean, less the second where there are two, with its 95 % bootstrap interval over patients."""
    rng = np.random.default_rng(0)
    many = [sample[rng.integers(len(sample), size=(BOOTSTRAPS, len(sample)))].mean(axis=1) for sample in samples]
    low, high = np.percentile(many[0] - (many[1] if len(many) > 1 else 0.0), [2.5, 97.5])
    value = _mean_contrast(samples)
    return Interval(value, min(float(low), value), max(float(high), value))


def _means(columns: Array, groups: npt.NDArray[np.int64]) -> list[Interval]:
    """Mean of every column [films, columns] with its 95 % bootstrap interval over patients."""
    counts = np.bincount(groups)
    sums = np.stack([np.bincount(groups, weights=column) for column in columns.T])
    drawn = np.random.default_rng(0).multinomial(len(counts), np.full(len(counts), 1.0 / len(counts)), BOOTSTRAPS)
    many = (drawn @ sums.T) / (drawn @ counts)[:, None]
    low, high = np.percentile(many, [2.5, 97.5], axis=0)
    means = columns.mean(axis=0)
    return [
        Interval(float(mean), min(float(a), float(mean)), max(float(b), float(mean)))
        for mean, a, b in zip(means, low, high, strict=True)
    ]


def beyond(smallest: float, values: Array, others: Array | None = None) -> float:
    """One-sided p that a mean, or the difference of two, is further from 0 than `smallest`, by Student's (Welch's) t.

    The side is the one that the mean lies on. Where the true mean is anywhere within the smallest, p <= 0.05 comes up
    in 5 % of samples or less (twice that only for a smallest of 0, of which both sides are tried).

    Args:
        smallest: At least 0.
        values: [n], independent, at least two.
        others: [m], likewise, to be subtracted; None for the mean of `values` alone.
    """
    samples = [values] if others is None else [values, others]
    parts = [float(sample.var(ddof=1)) / len(sample) for sample in samples]
    value, error = _mean_contrast(samples), float(np.sqrt(sum(parts)))
    away = abs(value) - smallest
    if error <= 1e-12 * max(abs(value), 1e-300):
        return float(away <= 0.0)
    # Welch and Satterthwaite; with one sample this is n - 1.
    freedom = sum(parts) ** 2 / sum(part**2 / (len(sample) - 1) for part, sample in zip(parts, samples, strict=True))
    return float(student.sf(away / error, freedom))


def _verdict(row: PlaceErasing, tests: Sequence[tuple[_Test, float | None]], rule: ShortcutRule) -> PlaceErasing:
    """The row with the test that tells most: of those that tell, the largest effect; else the smallest p."""
    judged = [(test, q) for test, q in tests if q is not None]
    if not judged:
        test = tests[0][0]
        fewest = min(row.patients, *map(len, test.samples))
        words = f"{fewest} patients, {rule.fewest} are needed on either side"
        effect = _contrast(test.samples) if min(map(len, test.samples)) else row.effect
        return replace(row, effect=effect, reason=words)
    told = [(test, q) for test, q in judged if _tells(test, q, rule)]
    if told:
        test, q = max(told, key=lambda each: abs(_mean_contrast(each[0].samples)))
    else:
        test, q = min(judged, key=lambda each: each[1])
    effect = _contrast(test.samples)
    words = (
        f"{test.basis}: |effect| {abs(effect.value):.2f} {'>=' if abs(effect.value) >= rule.smallest else '<'} "
        f"{rule.smallest:g} SD, without control {test.own:+.2f} SD, q {q:.3g} "
        f"{'<=' if q <= rule.false_discoveries else '>'} {rule.false_discoveries:g}"
    )
    severity = rule.size(effect.value) if told else Severity.NONE
    return replace(row, effect=effect, p=test.p, q=q, severity=severity, reason=words, basis=test.basis)


def _tells(test: _Test, q: float, rule: ShortcutRule) -> bool:
    same = test.own * _mean_contrast(test.samples) > 0.0
    return q <= rule.false_discoveries and same and abs(test.own) >= rule.smallest
