"""Two models on the same films: what both say, where they differ, and which is nearer to labels where there are any."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from medcam.core.codes import slug
from medcam.core.errors import UsageError
from medcam.core.finding import Finding
from medcam.evaluate.agreement import mean_figure, pair_agreement
from medcam.evaluate.agreement_figure import Figure
from medcam.evaluate.model_agreement import score_agreement
from medcam.evaluate.roc_area import roc_area, roc_difference
from medcam.evaluate.two_samples import holm
from medcam.service.evaluation.labels import Labels
from medcam.service.evaluation.observed import Observed
from medcam.service.evaluation.observed_film import ObservedFilm
from medcam.service.evaluation.two_models_maps import MapPairs
from medcam.service.evaluation.two_models_record import Areas, ComparedFilm, ComparedFinding, ComparedModels

APART = 10
"""Films on which two models are furthest apart that are named for each finding."""


@dataclass(frozen=True, slots=True)
class MatchedFinding:
    """A finding of two models.

    Args:
        first: What the first calls it.
        second: What the second calls it.
        by: "code" or "name".
    """

    first: str
    second: str
    by: str


def matched_findings(first: Sequence[Finding], second: Sequence[Finding]) -> list[MatchedFinding]:
    """Which findings of two models are the same, in the first one's order; each is matched once.

    By code, where both have one: the same scheme and value, and the same name first where several have it. Else by
    name. Findings whose codes differ are not the same, whatever their names.
    """
    left = {one.name: one for one in second}
    found = []
    for one in first:
        match = _matched(one, list(left.values()))
        if match is not None:
            del left[match[0]]
            found.append(MatchedFinding(one.name, *match))
    return found


def _matched(one: Finding, others: Sequence[Finding]) -> tuple[str, str] | None:
    same_name = [other for other in others if slug(other.name) == slug(one.name)]
    if one.code is not None:
        code = (one.code.scheme, one.code.value)
        same_code = [other for other in others if other.code and (other.code.scheme, other.code.value) == code]
        both = [other for other in same_code if other in same_name]
        if len(both or same_code) == 1:
            return (both or same_code)[0].name, "code"
        same_name = [other for other in same_name if other.code is None]
    return (same_name[0].name, "name") if len(same_name) == 1 else None


@dataclass(eq=False)
class _Column:
    """What two models said of one finding, film by film."""

    match: MatchedFinding
    rows: list[ComparedFilm] = field(default_factory=list)
    chance: list[float | None] = field(default_factory=list)
    patients: list[str] = field(default_factory=list)
    labels: list[int | None] = field(default_factory=list)
    label: str = ""


def compare_models(
    first: Observed,
    second: Observed,
    labels: Labels | None = None,
    *,
    seed: int = 0,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> ComparedModels:
    """Compares what two models said of the films that both explained. Neither model is run.

    Args:
        first: What one said.
        second: What the other said.
        labels: Which findings the films truly have; None where that is not known.
        seed: Of the bootstrap.
        progress: Called with how many films are done, and of how many.

    Raises:
        UsageError: They have no film, or no finding, in common (code `nothing-in-common`).
        InputError: An explanation cannot be read.
    """
    others = {film.uid: film for film in second.films}
    pairs = [(film, others[film.uid]) for film in first.films if film.uid in others]
    if not pairs:
        raise _nothing("no film", "Annotate the same films with both models.")
    matches = matched_findings(*(film.explanation().findings for film in pairs[0]))
    if not matches:
        raise _nothing("no finding", "Findings are matched by code, else by name.")
    columns, other_file = _columns(pairs, matches, labels, progress)
    patients = columns[0].patients
    if not patients:
        raise _nothing("no film: each explained another file of every UID", "Annotate the same files with both models.")
    findings = _with_adjusted_p([_finding(column, seed) for column in columns])
    return ComparedModels(
        first=_side(first),
        second=_side(second),
        films=len(patients),
        patients=len(set(patients)),
        first_only=len(first.films) - len(pairs),
        second_only=len(second.films) - len(pairs),
        other_file=other_file,
        findings=tuple(findings),
        unmatched={
            "first": _left(pairs[0][0], [match.first for match in matches]),
            "second": _left(pairs[0][1], [match.second for match in matches]),
        },
        labels=None if labels is None else {"format": labels.format, "sha256": labels.sha256, "id": labels.by.value},
    )


def _nothing(what: str, advice: str) -> UsageError:
    return UsageError(f"the two have {what} in common", code="nothing-in-common", next_step=advice)


def _left(film: ObservedFilm, taken: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in film.findings if name not in taken)


def _side(observed: Observed) -> Mapping[str, Any]:
    model = observed.model
    return {
        "name": model.name,
        "version": model.version,
        "weights_sha256": model.weights_sha256,
        "method": observed.method,
        "engine": observed.engine,
        "flagged": sum(film.flagged for film in observed.films),
    }


def _columns(
    pairs: Sequence[tuple[ObservedFilm, ObservedFilm]],
    matches: Sequence[MatchedFinding],
    labels: Labels | None,
    progress: Callable[[int, int], None],
) -> tuple[list[_Column], int]:
    """Goes through the films once: maps are read, compared and let go of."""
    columns, maps, other_file = [_Column(match) for match in matches], MapPairs(), 0
    for done, (one, other) in enumerate(pairs, start=1):
        progress(done, len(pairs))
        left, right = one.explanation(), other.explanation()
        if left.source.sha256 != right.source.sha256:
            other_file += 1
            continue
        known = None if labels is None else labels.of(one)
        judged = {slug(name): (name, value) for name, value in (known.labels if known else {}).items()}
        patient = (known.patient if known else "") or one.patient
        maps.next_film(patient)
        for column in columns:
            names = column.match
            compared = maps.compare(left.finding(names.first), right.finding(names.second))
            a, b = one.findings[names.first], other.findings[names.second]
            column.rows.append(
                ComparedFilm(
                    film=one.id,
                    name=one.name,
                    first=a.probability,
                    second=b.probability,
                    first_present=a.present,
                    second_present=b.present,
                    map_correlation=compared.correlation,
                    region_iou=compared.region_iou,
                )
            )
            column.chance.append(compared.chance)
            column.patients.append(patient)
            truth = judged.get(slug(names.first)) or judged.get(slug(names.second))
            column.labels.append(None if truth is None else truth[1])
            column.label = column.label or (truth[0] if truth else "")
    return columns, other_file


def _finding(column: _Column, seed: int) -> ComparedFinding:
    rows, patients = column.rows, np.asarray(column.patients)
    first, second = (np.array([getattr(row, side) for row in rows]) for side in ("first", "second"))
    called = np.array([row.first_present is not None and row.second_present is not None for row in rows])
    calls = [np.array([bool(getattr(row, f"{side}_present")) for row in rows])[called] for side in ("first", "second")]
    both = np.zeros(len(rows), dtype=bool)
    both[called] = calls[0] & calls[1]
    ious = [row.region_iou for row in rows]
    return ComparedFinding(
        first_name=column.match.first,
        second_name=column.match.second,
        matched_by=column.match.by,
        scores=score_agreement(first, second, patients, seed=seed),
        calls=pair_agreement(calls[0], calls[1], patients[called], seed=seed),
        withheld=int((~called).sum()),
        map_correlation=_mean([row.map_correlation for row in rows], patients, seed),
        chance=_mean(column.chance, patients, seed),
        region_iou=_mean(ious, patients, seed),
        region_iou_both=_mean([iou if each else None for iou, each in zip(ious, both, strict=True)], patients, seed),
        apart=tuple(sorted(rows, key=lambda row: (-abs(row.second - row.first), row.film))[:APART]),
        areas=_areas(column, first, second, patients),
    )


def _mean(values: Sequence[float | None], patients: np.ndarray[Any, Any], seed: int) -> Figure:
    known = np.array([value is not None for value in values], dtype=bool)
    return mean_figure(np.array([value for value in values if value is not None]), patients[known], seed=seed)


def _areas(
    column: _Column, first: np.ndarray[Any, Any], second: np.ndarray[Any, Any], patients: np.ndarray[Any, Any]
) -> Areas | None:
    known = np.array([label is not None for label in column.labels], dtype=bool)
    if not known.any():
        return None
    truth = np.array([label for label in column.labels if label is not None])
    groups = patients[known]
    difference, p = roc_difference(truth, first[known], second[known], groups)
    one, other = (roc_area(truth, scores[known], groups).figure for scores in (first, second))
    return Areas(one, other, difference, p, None, column.label)


def _with_adjusted_p(findings: list[ComparedFinding]) -> list[ComparedFinding]:
    tests = {one.first_name: one.areas.p for one in findings if one.areas is not None and one.areas.p is not None}
    adjusted = holm(tests)
    return [
        replace(one, areas=replace(one.areas, adjusted_p=adjusted.get(one.first_name))) if one.areas else one
        for one in findings
    ]
