"""Performance of a model on films whose truth is known, from what a results folder or a store holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from medcam.core.codes import slug
from medcam.core.errors import UsageError
from medcam.core.explanation import RESEARCH_USE
from medcam.evaluate.performance import (
    LEVEL,
    SMALL_RULE,
    FindingPerformance,
    ScoredFilms,
    performance,
)
from medcam.service.evaluation.labels import FilmLabels, Labels
from medcam.service.evaluation.observed import Observed
from medcam.service.evaluation.observed_film import AGE, ObservedFilm

SCHEMA_VERSION = "1.0"
AGES = (18, 40, 60, 80)
"""Where age bands begin, in years."""


@dataclass(frozen=True, eq=False)
class PerformanceRecord:
    """What was measured.

    Args:
        model: Name, version and digest of the weights.
        method: Attribution method of the record.
        engine: What computed the scores.
        record: Kind and name of the record.
        truth: Format and digest of the truth, and by what films were found.
        films: Films that both have.
        patients: To how many patients they belong.
        flagged: Films that the model finds strange.
        without_truth: Films of the record that the truth does not name.
        without_record: Films of the truth that the record does not hold.
        findings: By name.
        unjudged: Findings of the model that the truth does not judge.
        not_shown: Findings of the truth that the model does not know.
        attributes: Which attributes films are grouped by.
    """

    model: Mapping[str, str]
    method: str
    engine: str
    record: Mapping[str, str]
    truth: Mapping[str, str]
    films: int
    patients: int
    flagged: int
    without_truth: int
    without_record: int
    findings: Mapping[str, FindingPerformance]
    unjudged: tuple[str, ...]
    not_shown: tuple[str, ...]
    attributes: tuple[str, ...] = field(default=())

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        values = asdict(self)
        for name, finding in self.findings.items():
            for attribute, groups in finding.groups.items():
                for group, one in groups.items():
                    values["findings"][name]["groups"][attribute][group]["small"] = one.small
            for attribute, test in finding.tests.items():
                values["findings"][name]["tests"][attribute]["differs"] = test.differs
            values["findings"][name]["calibration"]["consistent"] = finding.calibration.consistent
        return {
            "schema_version": SCHEMA_VERSION,
            "notice": RESEARCH_USE,
            "rules": {"small": SMALL_RULE, "level": LEVEL},
            **values,
        }


def measure_performance(observed: Observed, labels: Labels, *, seed: int = 0) -> PerformanceRecord:
    """Sets what a model said beside what is true.

    Args:
        observed: The record.
        labels: The truth.
        seed: Of the draws.

    Raises:
        UsageError: No film and finding of the truth is in the record (code `nothing-to-measure`).
    """
    pairs = [(film, known) for film in observed.films if (known := labels.of(film)) is not None]
    model_findings = {slug(name): name for film, _ in pairs[:1] for name in film.findings}
    true_findings = {slug(name): name for _, known in pairs for name in known.labels}
    shared = [name for key, name in model_findings.items() if key in true_findings]
    if not shared:
        raise UsageError(
            f"no film and finding of the truth ({len(labels.films)} films by {labels.by.value}) is in the record",
            code="nothing-to-measure",
            next_step="Choose how films are found with --id, and say with --rename what the model calls a finding.",
        )
    scored = {name: _scored(pairs, name, true_findings[slug(name)]) for name in shared}
    model = observed.model
    return PerformanceRecord(
        model={"name": model.name, "version": model.version, "weights_sha256": model.weights_sha256},
        method=observed.method,
        engine=observed.engine,
        record={"kind": observed.kind, "name": observed.label},
        truth={"format": labels.format, "sha256": labels.sha256, "id": labels.by.value},
        films=len(pairs),
        patients=len({patient_of(film, known) for film, known in pairs}),
        flagged=sum(film.flagged for film, _ in pairs),
        without_truth=len(observed.films) - len(pairs),
        without_record=len(labels.films) - len(pairs),
        findings=performance({name: one for name, one in scored.items() if len(one[1].labels)}, seed=seed),
        unjudged=tuple(name for key, name in model_findings.items() if key not in true_findings),
        not_shown=tuple(name for key, name in true_findings.items() if key not in model_findings),
        attributes=_attribute_names(pairs),
    )


def patient_of(film: ObservedFilm, known: FilmLabels) -> str:
    """The patient of a film: as the truth says, else the record."""
    return known.patient or film.patient


def groups_of(film: ObservedFilm, known: FilmLabels | None) -> dict[str, str]:
    """Groups of a film by attribute: the record's, overridden by the truth's, and the age band."""
    found = {**film.attributes, **(known.attributes if known else {})}
    age = known.age if known is not None and known.age is not None else film.age
    return {**found, **({} if age is None else {AGE: age_band(age)})}


def age_band(age: float) -> str:
    """The band of an age in years, such as 40-59."""
    starts = (0, *AGES)
    place = max(number for number, start in enumerate(starts) if age >= start) if age >= 0 else 0
    return f"{starts[place]}-{starts[place + 1] - 1}" if place + 1 < len(starts) else f"{starts[place]}+"


def _attribute_names(pairs: list[tuple[ObservedFilm, FilmLabels]]) -> tuple[str, ...]:
    groups: dict[str, set[str]] = {}
    for film, known in pairs:
        for name, value in groups_of(film, known).items():
            groups.setdefault(name, set()).add(value)
    return tuple(sorted(name for name, values in groups.items() if len(values) > 1))


def _scored(pairs: list[tuple[ObservedFilm, FilmLabels]], name: str, true_name: str) -> tuple[float, ScoredFilms]:
    judged = [(film, known) for film, known in pairs if true_name in known.labels and name in film.findings]
    said = [film.findings[name] for film, _ in judged]
    attributes = _attribute_names(pairs)
    groups = [groups_of(film, known) for film, known in judged]
    films = ScoredFilms(
        labels=np.array([known.labels[true_name] == 1 for _, known in judged], dtype=bool),
        probabilities=np.array([one.probability for one in said], dtype=np.float64),
        called=np.array([one.probability >= one.threshold for one in said], dtype=bool),
        withheld=np.array([one.present is None for one in said], dtype=bool),
        patients=np.array([patient_of(film, known) for film, known in judged], dtype=str),
        attributes={key: np.array([each.get(key, "") for each in groups], dtype=str) for key in attributes},
    )
    return said[0].threshold if said else 0.5, films
