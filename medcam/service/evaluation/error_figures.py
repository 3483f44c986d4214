"""The wrong answers over a cohort as figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from medcam.evaluate.triage import TriageRules


@dataclass(frozen=True, slots=True)
class FindingErrors:
    """The wrong answers for one finding.

    Args:
        films: Films with a label.
        present: Of these, films with the finding by their label.
        false_positives: Called present, and absent by the label.
        false_negatives: Called absent, and present by the label.
        causes: Wrong answers per likely reason; reasons without any are left out.
    """

    films: int
    present: int
    false_positives: int
    false_negatives: int
    causes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ErrorFigures:
    """The wrong answers of a model over a cohort.

    Args:
        model: The model's name.
        weights_sha256: Digest of its weights.
        films: Films explained.
        rules: Thresholds by which the reasons were given.
        findings: Per finding with a label on some film.
        errors: Every wrong answer, in the order of films: plain values of `FilmError`, and the picture's path.
        skipped: Files that were passed over, with the code of the reason.
    """

    model: str
    weights_sha256: str
    films: int
    rules: TriageRules
    findings: Mapping[str, FindingErrors]
    errors: tuple[Mapping[str, object], ...]
    skipped: Mapping[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return asdict(self)
