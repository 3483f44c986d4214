"""One film of a record of decisions, and what a model said of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date

from medcam.core.explanation import Explanation
from medcam.core.finding import Evidence

SEX, VIEW, MAKER, SCANNER, BURNED = "sex", "view", "manufacturer", "scanner model", "burned-in annotation"
AGE = "age"


@dataclass(frozen=True, slots=True)
class ObservedFinding:
    """What a model said of one finding, without its map.

    Args:
        probability: 0 to 1.
        logit: The score.
        threshold: Operating point, on the probability.
        present: None where the answer was withheld.
        shares: Share of the positive zone sums by zone; None without zones, or without positive evidence.
    """

    probability: float
    logit: float
    threshold: float
    present: bool | None
    shares: Mapping[str, float] | None = field(default=None, repr=False)


@dataclass(frozen=True, eq=False)
class ObservedFilm:
    """One film and what a model said of it.

    Args:
        id: Of the decision.
        name: What the record calls the film's file.
        uid: SOP Instance UID.
        patient: What tells patients apart: the record's patient, else the study.
        day: Day of the study, or else of the decision; None where neither is known.
        attributes: View, sex, manufacturer, ... as far as the record has them.
        age: In years; None where it is not known.
        strangeness: Out-of-distribution score; None where the model has none.
        flagged: Whether it is over the threshold.
        findings: By name.
        explanation: Reads the explanation with its maps.
        source: Reads the film's DICOM file; raises an `InputError` where it is gone or another one.
    """

    id: str
    name: str
    uid: str
    patient: str = field(repr=False)
    day: date | None
    attributes: Mapping[str, str]
    age: float | None
    strangeness: float | None
    flagged: bool
    findings: Mapping[str, ObservedFinding]
    explanation: Callable[[], Explanation] = field(repr=False)
    source: Callable[[], bytes] = field(repr=False)


def observed_film(
    explanation: Explanation,
    decision: str,
    name: str,
    *,
    source: Callable[[], bytes],
    again: Callable[[], Explanation] | None = None,
    patient: str = "",
    day: date | None = None,
    attributes: Mapping[str, str] | None = None,
    age: float | None = None,
) -> ObservedFilm:
    """What an explanation says of a film, without its maps.

    Args:
        explanation: The explanation.
        decision: Its id.
        name: What the record calls the film's file.
        source: Reads the film's file.
        again: Reads the explanation again; None keeps the one that is given.
        patient: Its patient; the study where it is empty.
        day: Of the study; that of the decision where it is None.
        attributes: Beside the view.
        age: In years.
    """
    origin, ood = explanation.source, explanation.out_of_distribution
    known = {VIEW: origin.view, **(attributes or {})}
    return ObservedFilm(
        id=decision,
        name=name,
        uid=origin.identity.sop_instance_uid,
        patient=patient or origin.identity.study_instance_uid,
        day=day or (explanation.created.date() if explanation.created else None),
        attributes={key: value for key, value in known.items() if value},
        age=age,
        strangeness=ood.score,
        flagged=ood.flagged,
        findings={
            one.name: ObservedFinding(one.probability, one.logit, one.threshold, one.present, _shares(one.evidence))
            for one in explanation.findings
        },
        explanation=again or (lambda: explanation),
        source=source,
    )


def record_attributes(attributes: Mapping[str, object]) -> dict[str, str]:
    """Groups that figures are told by, from the attributes that a store keeps of a film."""
    inner = attributes.get("film")
    of_film: Mapping[str, object] = inner if isinstance(inner, Mapping) else {}
    found = {
        SEX: attributes.get("PatientSex"),
        MAKER: of_film.get("manufacturer"),
        SCANNER: of_film.get("manufacturer_model"),
        BURNED: attributes.get("BurnedInAnnotation"),
    }
    return {name: str(value) for name, value in found.items() if value}


def age_in_years(text: str) -> float | None:
    """Age of a DICOM age string such as 048Y or 018M, or of a number of years; None where it is neither."""
    units = {"Y": 1.0, "M": 1.0 / 12.0, "W": 7.0 / 365.25, "D": 1.0 / 365.25}
    digits, unit = (text[:-1], text[-1:].upper()) if text[-1:].isalpha() else (text, "Y")
    try:
        return float(digits) * units[unit]
    except (ValueError, KeyError):
        return None


def _shares(evidence: Evidence | None) -> dict[str, float] | None:
    if evidence is None or evidence.zones is None:
        return None
    positive = {zone: max(value, 0.0) for zone, value in evidence.zones.items()}
    total = sum(positive.values())
    return {zone: value / total for zone, value in positive.items()} if total > 0 else None
