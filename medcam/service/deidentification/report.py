"""The record of a de-identification, fit to go with the images: it holds no original value and no file name."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from medcam.core.explanation import RESEARCH_USE
from medcam.dicom.deidentify import METHOD, Profile
from medcam.service.atomic import write_text

REPORT_NAME = "deidentification.json"
SCHEMA_VERSION = "1.0"


@dataclass(frozen=True, slots=True)
class Written:
    """An input that was de-identified.

    Args:
        input: Its number; the key file has its name.
        file: Path of the output below the output folder.
        patient: Pseudonym.
        blackened_pixels: How many pixels were blacked out.
        blackened_share: Of all pixels.
        warnings: Codes.
        kept: Whether an earlier run had written it.
    """

    input: int
    file: str
    patient: str
    blackened_pixels: int = 0
    blackened_share: float = 0.0
    warnings: tuple[str, ...] = ()
    kept: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """An input that was not passed on.

    Args:
        input: Its number.
        code: Why, for programs.
        message: Why, in words.
        next_step: What to do.
    """

    input: int
    code: str
    message: str
    next_step: str = ""


@dataclass(frozen=True, eq=False)
class Report:
    """What a run did.

    Args:
        profile: The options.
        software: Versions by package.
        written: What was de-identified and verified.
        skipped: What is no image, and so was not passed on.
        duplicates: What was there twice with the same bytes.
        refused: What could not be done.
        text_detector: Digest of the weights that burned-in text was found with; None where pixels were not cleaned.
    """

    profile: Profile
    software: Mapping[str, str]
    written: tuple[Written, ...] = field(default=(), repr=False)
    skipped: tuple[Refused, ...] = field(default=(), repr=False)
    duplicates: tuple[int, ...] = field(default=(), repr=False)
    refused: tuple[Refused, ...] = field(default=(), repr=False)
    text_detector: str | None = None

    @property
    def counts(self) -> dict[str, int]:
        """How many inputs ended how; every input is counted once."""
        return {
            "deidentified": len(self.written),
            "skipped": len(self.skipped),
            "quarantined": len(self.refused),
            "duplicate": len(self.duplicates),
        }

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON-ready values."""
        return {
            "schema_version": SCHEMA_VERSION,
            "notice": RESEARCH_USE,
            "method": METHOD,
            "method_codes": [{"code": value, "meaning": meaning} for value, meaning in self.profile.codes],
            "options": asdict(self.profile),
            "software": dict(self.software),
            "text_detector": self.text_detector,
            "counts": self.counts,
            "patients": len({item.patient for item in self.written}),
            "warnings": dict(Counter(code for item in self.written for code in item.warnings)),
            "outputs": [asdict(item) for item in self.written],
            "skipped": [asdict(item) for item in self.skipped],
            "duplicates": list(self.duplicates),
            "quarantined": [asdict(item) for item in self.refused],
        }

    def to_json(self) -> str:
        """The report as indented JSON text."""
        return json.dumps(self.to_dict(), indent=1) + "\n"


def write_report(folder: Path, report: Report) -> None:
    """Writes `deidentification.json` in one step.

    Raises:
        OSError: The disk refuses it.
    """
    write_text(folder / REPORT_NAME, report.to_json())
