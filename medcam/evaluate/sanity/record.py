"""What the sanity checks of maps found: values that JSON can hold, and that reports read again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from medcam.evaluate.agreement_figure import Figure
from medcam.evaluate.record_json import RecordFormat, figure_from, row_from

_FORMAT = RecordFormat("1", code="not-a-sanity-record", command="sanity --out FILE")
FILE_NAME = "sanity.json"


class Verdict(StrEnum):
    """Of one test of one method."""

    PASSED = "passed"
    FAILED = "failed"
    UNDECIDED = "undecided"
    """The interval holds the threshold, or there are too few patients for one."""


@dataclass(frozen=True, slots=True)
class SanityRow:
    """One test of one method by one measure of similarity.

    Args:
        method: Of the registry.
        control: Whether the registry has it as known to be bad.
        test: "cascading randomisation", "layer randomisation", "label randomisation", "input noise", "two models",
            "window", "crop" or "flip".
        detail: The layer that was reached, or how far the input was changed.
        measure: "spearman", "ssim" or "hog".
        must: "lose" where the map must not stay as it was, "keep" where it must.
        films: Films.
        patients: Patients among them.
        similarity: Mean similarity to the map of the untouched model and film, 1 for the same map.
        unrelated: Mean similarity of maps of unrelated films by the untouched model.
        threshold: That `similarity` is held against; see `medcam.evaluate.sanity.rule`.
        decides: Whether the method's verdict rests on it; other rows are there to be read.
        verdict: By the rule.
    """

    method: str
    control: bool
    test: str
    detail: str
    measure: str
    must: str
    films: int
    patients: int
    similarity: Figure
    unrelated: float
    threshold: float
    decides: bool
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class SanityRecord:
    """All that `medcam evaluate sanity` found.

    Path convention: `--out FILE` as given; the audit report looks for `sanity.json` in its results folder.

    Args:
        model: The model's name.
        weights_sha256: Digest of its weights.
        data: Name of the folder, or "phantoms".
        films: Films judged.
        patients: Patients among them.
        rule: The rule in words.
        rows: By method, test, detail and measure.
        seed: Of phantoms, noise and random weights.
        notes: What readers must know, tests that were not made among them.
        skipped: Methods or films that were passed over, with the code of the reason.
        software: Versions.
    """

    model: str
    weights_sha256: str
    data: str
    films: int
    patients: int
    rule: str
    rows: tuple[SanityRow, ...]
    seed: int = 0
    notes: tuple[str, ...] = ()
    skipped: Mapping[str, str] = field(default_factory=dict)
    software: Mapping[str, str] = field(default_factory=dict)

    def verdict(self, method: str) -> Verdict:
        """Fail where one deciding row fails, pass where all pass, otherwise undecided."""
        verdicts = {row.verdict for row in self.rows if row.method == method and row.decides}
        if Verdict.FAILED in verdicts:
            return Verdict.FAILED
        return Verdict.PASSED if verdicts == {Verdict.PASSED} else Verdict.UNDECIDED

    @property
    def methods(self) -> tuple[str, ...]:
        """In the order of the rows."""
        return tuple(dict.fromkeys(row.method for row in self.rows))

    def to_json(self) -> str:
        """As text, with the schema's version."""
        return _FORMAT.to_json(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> SanityRecord:
        """The record of what `to_json` gave.

        Raises:
            UsageError: It is none, or of another version (code `not-a-sanity-record`).
        """
        return _FORMAT.from_json(text, cls._read)

    @classmethod
    def _read(cls, values: dict[str, Any]) -> SanityRecord:
        return row_from(
            cls,
            values,
            rows=lambda rows: tuple(row_from(SanityRow, row, similarity=figure_from, verdict=Verdict) for row in rows),
            notes=tuple,
        )
