"""What a comparison of two models found, as values and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from medcam.core.explanation import RESEARCH_USE
from medcam.evaluate.agreement import PairAgreement
from medcam.evaluate.agreement_figure import Figure
from medcam.evaluate.model_agreement import ScoreAgreement

SCHEMA_VERSION = "1.0"


@dataclass(frozen=True, slots=True)
class ComparedFilm:
    """What two models say of one finding of one film.

    Args:
        film: <study>/<instance> of a results folder, or the id of the first one's explanation in a store.
        name: What the record calls the film's file.
        first: Probability by the first.
        second: Probability by the second.
        first_present: Its call; None where it was withheld.
        second_present: Likewise.
        map_correlation: Pearson's, of their maps; None where one is the same everywhere.
        region_iou: Intersection over union of their regions; None where neither has one.
    """

    film: str
    name: str
    first: float
    second: float
    first_present: bool | None
    second_present: bool | None
    map_correlation: float | None
    region_iou: float | None


@dataclass(frozen=True, slots=True)
class Areas:
    """Areas under the ROC curve of two models on the same films.

    Args:
        first: Of the first.
        second: Of the second.
        difference: The second's minus the first's.
        p: Of the test that there is none (DeLong); None where there is no test.
        adjusted_p: The same, by Holm's correction over the findings of the comparison.
        label: What the labels call the finding.
    """

    first: Figure
    second: Figure
    difference: Figure
    p: float | None
    adjusted_p: float | None
    label: str


@dataclass(frozen=True, eq=False)
class ComparedFinding:
    """A finding that both models know.

    Args:
        first_name: What the first calls it.
        second_name: What the second calls it.
        matched_by: "code" or "name".
        scores: Of all common films.
        calls: At each one's operating point, of films on which neither withheld its answer.
        withheld: Films left out of `calls`.
        map_correlation: Mean of Pearson's correlation of the two maps of a film.
        chance: The same of the first's map of one film and the second's of another patient's film: what the usual
            place of a finding gives by itself.
        region_iou: Mean intersection over union of their regions, of films where either has one.
        region_iou_both: The same of films that both call present.
        apart: The films with the largest difference of probability, the largest first.
        areas: Beside labels; None without.
    """

    first_name: str
    second_name: str
    matched_by: str
    scores: ScoreAgreement
    calls: PairAgreement
    withheld: int
    map_correlation: Figure
    chance: Figure
    region_iou: Figure
    region_iou_both: Figure
    apart: tuple[ComparedFilm, ...] = field(repr=False)
    areas: Areas | None = None


@dataclass(frozen=True, eq=False)
class ComparedModels:
    """A comparison.

    Args:
        first: Name, version, digest of the weights, method, engine, and flagged films of the first.
        second: The same of the second.
        films: Films that both explained.
        patients: To how many patients they belong.
        first_only: Films that the first alone explained.
        second_only: Likewise.
        other_file: Films of one UID of which each saw another file; left out.
        findings: That both know.
        unmatched: Findings that one alone knows, by side.
        labels: Format and digest of the truth; None without.
    """

    first: Mapping[str, Any]
    second: Mapping[str, Any]
    films: int
    patients: int
    first_only: int
    second_only: int
    other_file: int
    findings: tuple[ComparedFinding, ...]
    unmatched: Mapping[str, tuple[str, ...]]
    labels: Mapping[str, str] | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"schema_version": SCHEMA_VERSION, "notice": RESEARCH_USE, **asdict(self)}
