"""How scores go with attributes of acquisition and patient, the label held fixed, films of a patient kept together.

    logit = a + b label + c attribute + rest       by least squares; c is the difference that is reported

The error of c comes from leaving out one patient after the other (the cluster jackknife, CV3 of MacKinnon, Nielsen and
Webb 2023, "Fast and reliable jackknife and bootstrap methods for cluster-robust inference"), with Student's t of as
many degrees of freedom as there are patients less one. c over the standard deviation of the rest is the standardised
difference; c of an age is first multiplied by the ages' own standard deviation. An association is not yet a shortcut:
other findings, and anatomy that differs by age and sex, go with attributes too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student

from medcam.core.card import Interval
from medcam.core.errors import InvalidValueError
from medcam.evaluate.shortcuts.multiplicity import benjamini_hochberg
from medcam.evaluate.shortcuts.record import Association
from medcam.evaluate.shortcuts.rule import RULE, Severity, ShortcutRule

YEARS = 10.0
"""A difference by age is told per this many."""
_SINGULAR = 1e-8
Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ScoredFilms:
    """Scores of one finding with one attribute.

    Args:
        finding: Its name.
        attribute: Its name.
        logits: float [n].
        values: [n]: texts, or numbers for an age in years; None where a film does not say.
        labels: int [n]: 1, 0, or -1 where nobody judged; None without labels.
        patients: [n].
    """

    finding: str
    attribute: str
    logits: npt.ArrayLike
    values: Sequence[str | float | None]
    labels: npt.ArrayLike | None
    patients: Sequence[str]


def judge_associations(rows: Sequence[ScoredFilms], rule: ShortcutRule = RULE) -> tuple[Association, ...]:
    """Differences and verdicts for all findings and attributes of one model, corrected for their number together.

    A text is compared level by level with its most frequent one. Where labels are given, films that nobody judged are
    left out and the label is held fixed; it is not where all films that are left have the same.

    Args:
        rows: One per finding and attribute.
        rule: Of the verdicts.

    Returns:
        One per finding, attribute and level; none for an attribute with a single value.

    Raises:
        InvalidValueError: The columns of a row differ in length.
    """
    found = [each for row in rows for each in _associations(row, rule)]
    adjusted = benjamini_hochberg([each.p for each in found])
    return tuple(_judged(replace(each, q=q), rule) for each, q in zip(found, adjusted, strict=True))


@dataclass(frozen=True, eq=False)
class _Contrast:
    """One comparison: its name, the films that it is of (bool [n]), the regressor (float [n]), its scale."""

    name: str
    among: npt.NDArray[np.bool_]
    regressor: Array
    is_level: bool


def _associations(row: ScoredFilms, rule: ShortcutRule) -> list[Association]:
    logits = np.asarray(row.logits, dtype=np.float64)
    labels = np.full(len(logits), -1) if row.labels is None else np.asarray(row.labels, dtype=np.int64)
    if not len(logits) == len(labels) == len(row.values) == len(row.patients):
        raise InvalidValueError("an association needs a logit, a value, a label and a patient for every film")
    usable = (row.labels is None) | (labels >= 0)
    chosen = [index for index, value in enumerate(row.values) if value is not None and usable[index]]
    values = [row.values[index] for index in chosen]
    if len(set(values)) < 2:
        return []
    patients = np.array([row.patients[index] for index in chosen], dtype=str)
    logits, labels, groups = logits[chosen], labels[chosen], np.unique(patients, return_inverse=True)[1]
    found = []
    for contrast in _contrasts(values):
        among = contrast.among
        adjusted = row.labels is not None and len(np.unique(labels[among])) == 2
        fixed = [np.ones(int(among.sum()))] + ([labels[among].astype(np.float64)] if adjusted else [])
        blank = Association(
            row.finding,
            row.attribute,
            contrast.name,
            films=int(among.sum()),
            patients=len(np.unique(groups[among])),
            at_level=int(contrast.regressor[among].sum()) if contrast.is_level else int(among.sum()),
            adjusted=adjusted,
            difference=None,
            effect=None,
            p=None,
            q=None,
            severity=Severity.UNKNOWN,
            reason="",
        )
        found.append(_estimated(blank, contrast, logits[among], fixed, groups[among], rule))
    return found


def _contrasts(values: Sequence[str | float | None]) -> list[_Contrast]:
    if all(isinstance(value, int | float) for value in values):
        ages = np.array(values, dtype=np.float64)
        return [_Contrast(f"per {YEARS:g} years", np.ones(len(ages), dtype=np.bool_), ages / YEARS, is_level=False)]
    texts = np.array([str(value) for value in values])
    levels, counts = np.unique(texts, return_counts=True)
    most = levels[int(np.argmax(counts))]
    return [
        _Contrast(
            f"{level} against {most}",
            (texts == level) | (texts == most),
            (texts == level).astype(np.float64),
            is_level=True,
        )
        for level in levels
        if level != most
    ]


def _estimated(
    blank: Association,
    contrast: _Contrast,
    logits: Array,
    fixed: list[Array],
    groups: npt.NDArray[np.int64],
    rule: ShortcutRule,
) -> Association:
    last = contrast.regressor[contrast.among]
    sides = [groups[last == side] for side in (0.0, 1.0)] if contrast.is_level else [groups]
    fewest = min(len(np.unique(side)) for side in sides)
    if fewest < rule.fewest:
        return replace(blank, reason=f"{fewest} patients at a level, {rule.fewest} are needed")
    fit = difference_by_attribute(logits, np.column_stack([*fixed, last]), groups)
    if fit is None:
        return replace(blank, reason="the attribute cannot be told from the label on these films")
    value, error, rest, freedom = fit
    reach = float(student.ppf(0.975, freedom)) * error
    scale = (1.0 if contrast.is_level else float(np.std(last))) / max(rest, 1e-12)
    return replace(
        blank,
        difference=Interval(value, value - reach, value + reach),
        effect=Interval(value * scale, (value - reach) * scale, (value + reach) * scale),
        p=float(2.0 * student.sf(abs(value) / error, freedom)) if error > 0.0 else float(value == 0.0),
    )


def difference_by_attribute(
    logits: Array, design: Array, groups: npt.NDArray[np.int64]
) -> tuple[float, float, float, int] | None:
    """Least-squares coefficient of the last column, its jackknife error over groups, and what is left unexplained.

    Args:
        logits: float [n].
        design: float [n, k], k columns.
        groups: int [n]: films of one group are left out together.

    Returns:
        Coefficient, standard error, residual standard deviation and degrees of freedom; None where the columns depend
        on each other, with all films or without one of the groups.
    """
    _, numbers = np.unique(groups, return_inverse=True)
    count, width = int(numbers.max()) + 1, design.shape[1]
    squares, products = np.zeros((count, width, width)), np.zeros((count, width))
    np.add.at(squares, numbers, design[:, :, None] * design[:, None, :])
    np.add.at(products, numbers, design * logits[:, None])
    left, right = squares.sum(axis=0) - squares, products.sum(axis=0) - products
    scales = np.sqrt(np.maximum(np.diag(squares.sum(axis=0)), 1e-300))
    smallest = np.linalg.eigvalsh(left / np.outer(scales, scales))[:, 0]
    if count < 2 or smallest.min() < _SINGULAR:
        return None
    whole = np.linalg.solve(squares.sum(axis=0), products.sum(axis=0))
    without = np.linalg.solve(left, right[:, :, None])[:, -1, 0]
    error = float(np.sqrt((count - 1) / count * ((without - whole[-1]) ** 2).sum()))
    rest = logits - design @ whole
    spread = float(np.sqrt((rest**2).sum() / max(1, len(logits) - width)))
    return float(whole[-1]), error, spread, count - 1


def _judged(row: Association, rule: ShortcutRule) -> Association:
    if row.p is None or row.q is None or row.effect is None:
        return row
    size = rule.size(row.effect.value)
    told = row.q <= rule.false_discoveries
    words = (
        f"|effect| {abs(row.effect.value):.2f} {'<' if size is Severity.NONE else '>='} {rule.smallest:g} SD, "
        f"q {row.q:.3g} {'<=' if told else '>'} {rule.false_discoveries:g}"
    )
    return replace(row, severity=size if told else Severity.NONE, reason=words)
