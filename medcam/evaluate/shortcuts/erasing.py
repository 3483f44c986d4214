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
from medcam.evaluate.shortcuts.rule import RULE, Severity, ShortcutRule

BOOTSTRAPS = 2000
Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ErasedFilms:
    """The films of one finding and place.

    Args:
        finding: Its name.
        place: See `Place`.
        patients: [n], one per film.
        change: float [n]: of the logit, by erasing the place.
        control: float [n]: by erasing as much elsewhere, the mean over the controls of the film.
        turned: bool [n]: whether the answer turned by erasing the place.
        called: bool [n]: whether the model calls the finding present on the film as it is.
        spread: Standard deviation of the finding's logit over all films.
        coverage: Share of all films that have the place.
    """

    finding: str
    place: Place
    patients: Sequence[str]
    change: npt.ArrayLike
    control: npt.ArrayLike
    turned: npt.ArrayLike
    called: npt.ArrayLike
    spread: float
    coverage: float


def judge_erasing(rows: Sequence[ErasedFilms], rule: ShortcutRule = RULE) -> tuple[PlaceErasing, ...]:
    """Figures and verdicts of all findings and places of one model, corrected for their number together.

    Args:
        rows: One per finding and place.
        rule: Of the verdicts.

    Raises:
        InvalidValueError: A row has no film, its columns differ in length, or its spread is not positive.
    """
    judged = [_figures(row, rule) for row in rows]
    adjusted = benjamini_hochberg([figure.p for figure, _ in judged])
    return tuple(_verdict(replace(figure, q=q), own, rule) for (figure, own), q in zip(judged, adjusted, strict=True))


def _figures(row: ErasedFilms, rule: ShortcutRule) -> tuple[PlaceErasing, float]:
    """The figures of a row, and the effect of erasing the place itself, without a control."""
    change, control = (np.asarray(each, dtype=np.float64) for each in (row.change, row.control))
    turned, called = np.asarray(row.turned, dtype=np.float64), np.asarray(row.called, dtype=np.bool_)
    lengths = {len(each) for each in (change, control, turned, called, row.patients)}
    if len(lengths) > 1 or not len(change) or row.spread <= 0.0:
        raise InvalidValueError("erasing is judged on films with a change and a control each, and logits that differ")
    _, groups = np.unique(np.asarray(row.patients, dtype=str), return_inverse=True)
    everywhere = row.coverage >= rule.everywhere
    excess = (change - control) / row.spread
    own, elsewhere, difference, answers = _means(
        np.column_stack([change, control, excess * row.spread, turned]), groups
    )
    sides = [called, ~called] if everywhere else [np.ones(len(change), dtype=np.bool_)]
    samples = [_per_patient(excess[side], groups[side]) for side in sides]
    alone = [_per_patient(change[side] / row.spread, groups[side]) for side in sides]
    judged = min(map(len, samples)) >= rule.fewest
    figure = PlaceErasing(
        finding=row.finding,
        place=row.place,
        films=len(change),
        patients=len(np.unique(groups)),
        change=own,
        control=elsewhere,
        excess=difference,
        effect=_contrast(samples) if min(map(len, samples)) else Interval(0.0, 0.0, 0.0),
        everywhere=everywhere,
        turned=answers,
        p=beyond(rule.smallest, *samples) if judged else None,
        q=None,
        severity=Severity.UNKNOWN,
        reason="" if judged else f"{min(map(len, samples))} patients, {rule.fewest} are needed on either side",
    )
    return figure, _mean_contrast(alone) if judged else 0.0


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


def _verdict(row: PlaceErasing, own: float, rule: ShortcutRule) -> PlaceErasing:
    if row.p is None or row.q is None:
        return row
    effect = row.effect.value
    told = row.q <= rule.false_discoveries and own * effect > 0.0 and abs(own) >= rule.smallest
    words = (
        f"|effect| {abs(effect):.2f} {'>=' if abs(effect) >= rule.smallest else '<'} {rule.smallest:g} SD, "
        f"without control {own:+.2f} SD, q {row.q:.3g} "
        f"{'<=' if row.q <= rule.false_discoveries else '>'} {rule.false_discoveries:g}"
    )
    return replace(row, severity=rule.size(effect) if told else Severity.NONE, reason=words)
