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
        spread: Standard deviation of the finding's logit over all films.
    """

    finding: str
    place: Place
    patients: Sequence[str]
    change: npt.ArrayLike
    control: npt.ArrayLike
    turned: npt.ArrayLike
    spread: float


def judge_erasing(rows: Sequence[ErasedFilms], rule: ShortcutRule = RULE) -> tuple[PlaceErasing, ...]:
    """Figures and verdicts of all findings and places of one model, corrected for their number together.

    Args:
        rows: One per finding and place.
        rule: Of the verdicts.

    Raises:
        InvalidValueError: A row has no film, its columns differ in length, or its spread is not positive.
    """
    figures = [_figures(row, rule) for row in rows]
    adjusted = benjamini_hochberg([figure.p for figure in figures])
    return tuple(
        _judged(replace(figure, q=q), figure.change.value / row.spread, rule)
        for row, figure, q in zip(rows, figures, adjusted, strict=True)
    )


def _figures(row: ErasedFilms, rule: ShortcutRule) -> PlaceErasing:
    change, control = (np.asarray(each, dtype=np.float64) for each in (row.change, row.control))
    turned = np.asarray(row.turned, dtype=np.float64)
    if not len(change) or not len(change) == len(control) == len(turned) == len(row.patients) or row.spread <= 0.0:
        raise InvalidValueError("erasing is judged on films with a change and a control each, and logits that differ")
    _, groups = np.unique(np.asarray(row.patients, dtype=str), return_inverse=True)
    excess = (change - control) / row.spread
    per_patient = np.bincount(groups, weights=excess) / np.bincount(groups)
    columns = np.column_stack([change, control, excess * row.spread, excess, turned])
    intervals = _means(columns, groups)
    return PlaceErasing(
        row.finding,
        row.place,
        len(change),
        len(per_patient),
        *intervals,
        p=beyond(per_patient, rule.smallest) if len(per_patient) >= rule.fewest else None,
        q=None,
        severity=Severity.UNKNOWN,
        reason="",
    )


def _means(columns: Array, groups: npt.NDArray[np.int64]) -> list[Interval]:
    """Mean of every column [films, columns] with its 95 % bootstrap interval over patients."""
    counts = np.bincount(groups)
    sums = np.stack([np.bincount(groups, weights=column) for column in columns.T])
    drawn = np.random.default_rng(0).multinomial(len(counts), np.full(len(counts), 1.0 / len(counts)), BOOTSTRAPS)
    many = (drawn @ sums.T) / (drawn @ counts)[:, None]
    low, high = np.percentile(many, [2.5, 97.5], axis=0)
    means = columns.mean(axis=0)
    return [
        Interval(float(m), min(float(a), float(m)), max(float(b), float(m)))
        for m, a, b in zip(means, low, high, strict=True)
    ]


def beyond(values: Array, smallest: float) -> float:
    """One-sided p that the mean of independent values is further from 0 than `smallest`, by Student's t.

    The side is the one that the mean lies on. Where the true mean is anywhere within the smallest, p <= 0.05 comes up
    in 5 % of samples or less (twice that only for a smallest of 0, of which both sides are tried).

    Args:
        values: [n], at least two.
        smallest: At least 0.
    """
    mean, error = float(values.mean()), float(values.std(ddof=1)) / float(np.sqrt(len(values)))
    away = abs(mean) - smallest
    if error <= 1e-12 * abs(mean):
        return float(away <= 0.0)
    return float(student.sf(away / error, len(values) - 1))


def _judged(row: PlaceErasing, own: float, rule: ShortcutRule) -> PlaceErasing:
    """The verdict; `own` is the mean change by erasing the place itself, in standard deviations."""
    effect = row.effect.value
    if row.p is None or row.q is None:
        return replace(row, reason=f"{row.patients} patients, {rule.fewest} are needed")
    told = row.q <= rule.false_discoveries and own * effect > 0.0 and abs(own) >= rule.smallest
    severity = rule.size(effect) if told else Severity.NONE
    sign = ">=" if abs(effect) >= rule.smallest else "<"
    words = (
        f"|effect| {abs(effect):.2f} {sign} {rule.smallest:g} SD, own change {own:+.2f} SD, q {row.q:.3g} "
        f"{'<=' if row.q <= rule.false_discoveries else '>'} {rule.false_discoveries:g}"
    )
    return replace(row, severity=severity, reason=words)
