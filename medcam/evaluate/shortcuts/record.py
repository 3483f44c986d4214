"""What was found on the shortcuts of one model: values that JSON can hold, and that reports read again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from medcam.core.card import Interval
from medcam.evaluate.record_json import RecordFormat, row_from
from medcam.evaluate.shortcuts.rule import RULE, Basis, Severity, ShortcutRule

_FORMAT = RecordFormat("2", code="not-a-shortcut-record", command="shortcuts --json", named="record of shortcuts")


class Place(StrEnum):
    """Where evidence is no anatomy. A pixel belongs to the first of these that claims it."""

    MARKER = "marker"
    TEXT = "burned-in text"
    PRINT = "marker or text"
    DEVICE = "device"
    BORDER = "border"
    OUTSIDE = "outside the body"


@dataclass(frozen=True, slots=True)
class PlaceEvidence:
    """Positive evidence for one finding in one kind of place, over the films with both.

    Args:
        finding: Its name.
        place: See `Place`.
        films: Films with the finding, by label or else by the model, on which the place is.
        patients: Patients among them.
        share: Mean share of the positive evidence that lies there, 0 to 1.
        area: Mean share of the film's area.
        enrichment: share / area; 1 where evidence is spread as area is.
    """

    finding: str
    place: Place
    films: int
    patients: int
    share: Interval
    area: float
    enrichment: Interval | None


@dataclass(frozen=True, slots=True)
class PlaceErasing:
    """How a finding's logit changes when one kind of place is filled in from its surroundings.

    Args:
        finding: Its name.
        place: See `Place`.
        films: Films with the place.
        patients: Patients among them.
        change: Mean change of the logit by erasing the place; negative where the place spoke for the finding.
        control: Mean change by erasing as large a part of the same films elsewhere.
        excess: Mean of change - control.
        effect: What the verdict judges, in standard deviations of the finding's logit over all films; see `basis`. 0,
            and not judged, where there are no films on one side.
        everywhere: Whether most films have the place.
        turned: Share of films whose answer turns at the operating threshold, by erasing the place.
        p: One-sided p against an effect of the smallest size that counts; None where there are too few patients.
        q: The same by Benjamini and Hochberg over all tests of the record.
        severity: The verdict.
        reason: The verdict's number and threshold.
        basis: What the effect is the mean of. Where two are tested it is the one that tells, or tells most.
    """

    finding: str
    place: Place
    films: int
    patients: int
    change: Interval
    control: Interval
    excess: Interval
    effect: Interval
    everywhere: bool
    turned: Interval
    p: float | None
    q: float | None
    severity: Severity
    reason: str
    basis: Basis = Basis.PLACE

    @property
    def told(self) -> bool:
        """Whether the place is a shortcut by the rule."""
        return self.severity in (Severity.LOW, Severity.MODERATE, Severity.HIGH)


@dataclass(frozen=True, slots=True)
class Association:
    """How a finding's logit goes with an attribute of the acquisition or the patient.

    Args:
        finding: Its name.
        attribute: "view", "sex", "age", "manufacturer" or "burned-in annotation".
        contrast: Such as "AP against PA", or "per 10 years".
        films: Films counted.
        patients: Patients among them.
        at_level: Films at the named level; all films of a number.
        adjusted: Whether the label is held fixed, as a second regressor.
        difference: Of the logit.
        effect: The difference in residual standard deviations of the logit.
        p: Two-sided, of no difference; None where it cannot be estimated.
        q: The same by Benjamini and Hochberg over the record.
        severity: The verdict.
        reason: The verdict's number and threshold.
    """

    finding: str
    attribute: str
    contrast: str
    films: int
    patients: int
    at_level: int
    adjusted: bool
    difference: Interval | None
    effect: Interval | None
    p: float | None
    q: float | None
    severity: Severity
    reason: str

    @property
    def told(self) -> bool:
        """Whether the association is told by the rule."""
        return self.severity in (Severity.LOW, Severity.MODERATE, Severity.HIGH)


@dataclass(frozen=True, slots=True)
class ShortcutRecord:
    """All that `medcam evaluate shortcuts` found.

    Args:
        model: The model's name.
        weights_sha256: Digest of its weights.
        data: Name of the folder.
        films: Films judged.
        patients: Patients among them.
        exact: Films whose places are exact by construction; those of the others were found by detectors.
        findings: Names.
        rule: Of the verdicts.
        evidence: Where positive evidence lies; empty for a model without maps.
        erasing: What erasing changes.
        associations: With attributes.
        notes: What a reader must know, such as kinds of places that no detector can find.
        skipped: Files passed over, with the code of the reason.
        software: Versions.
    """

    model: str
    weights_sha256: str
    data: str
    films: int
    patients: int
    exact: int
    findings: tuple[str, ...]
    rule: ShortcutRule = RULE
    evidence: tuple[PlaceEvidence, ...] = ()
    erasing: tuple[PlaceErasing, ...] = ()
    associations: tuple[Association, ...] = ()
    notes: tuple[str, ...] = ()
    skipped: Mapping[str, str] = field(default_factory=dict)
    software: Mapping[str, str] = field(default_factory=dict)

    @property
    def shortcuts(self) -> tuple[PlaceErasing, ...]:
        """What is told by erasing, the largest effect first."""
        return tuple(sorted((row for row in self.erasing if row.told), key=lambda row: -abs(row.effect.value)))

    @property
    def severity(self) -> Severity:
        """The worst of the erasing's verdicts; "too few films" where nothing could be judged."""
        order = list(Severity)
        return max((row.severity for row in self.erasing), key=order.index, default=Severity.UNKNOWN)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON, with the schema's version."""
        return _FORMAT.as_dict(asdict(self))

    def to_json(self) -> str:
        """As text."""
        return _FORMAT.to_json(asdict(self))

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> ShortcutRecord:
        """The record of what `as_dict` gave.

        Raises:
            UsageError: It is none, or of another version (code `not-a-shortcut-record`).
        """
        return _FORMAT.from_dict(content, cls._read)

    @classmethod
    def from_json(cls, text: str) -> ShortcutRecord:
        """The record of what `to_json` gave; raises as `from_dict`."""
        return _FORMAT.from_json(text, cls._read)

    @classmethod
    def _read(cls, values: dict[str, Any]) -> ShortcutRecord:
        return row_from(
            cls,
            values,
            findings=tuple,
            notes=tuple,
            rule=lambda rule: ShortcutRule(**rule),
            evidence=lambda rows: tuple(row_from(PlaceEvidence, row, **_READERS) for row in rows),
            erasing=lambda rows: tuple(row_from(PlaceErasing, row, **_READERS) for row in rows),
            associations=lambda rows: tuple(row_from(Association, row, **_READERS) for row in rows),
        )


def _interval(values: Mapping[str, Any] | None) -> Interval | None:
    return None if values is None else Interval(**values)


_INTERVALS = ("share", "enrichment", "change", "control", "excess", "effect", "turned", "difference")
_READERS: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys(_INTERVALS, _interval),
    "place": Place,
    "basis": Basis,
    "severity": Severity,
}
"""Of the fields of all rows that are no plain values."""
