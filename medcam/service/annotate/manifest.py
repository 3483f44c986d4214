"""The record of a whole run: its presence means that the run is complete."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from medcam.core.explanation import RESEARCH_USE, Engine, ModelReference
from medcam.service.annotate.outcomes import Annotated, Duplicate, Skipped
from medcam.service.atomic import write_text
from medcam.service.sending.counts import DeliveryCounts

MANIFEST_NAME = "manifest.json"
SCHEMA_VERSION = "1.0"


@dataclass(frozen=True, slots=True)
class Counts:
    """How many inputs ended how; every input is counted once."""

    annotated: int = 0
    skipped: int = 0
    quarantined: int = 0
    duplicate: int = 0

    @property
    def total(self) -> int:
        """All inputs."""
        return self.annotated + self.skipped + self.quarantined + self.duplicate


@dataclass(frozen=True, eq=False)
class Manifest:
    """What a run did.

    Args:
        model: The model.
        options: What was asked: findings, outputs, allow_out_of_distribution.
        software: Versions by package.
        started: When it began.
        finished: When it ended.
        annotated: Where the results of which input lie.
        skipped: Inputs passed over.
        duplicates: Inputs that were there twice.
        quarantined: How many were refused; `quarantine.jsonl` says which and why.
        deliveries: What became of objects that were to be sent; None where none were.
        engine: What computed the maps.
        engine_notes: Which other engines were tried, and why they were not used.
    """

    model: ModelReference
    options: Mapping[str, Any]
    software: Mapping[str, str]
    started: datetime
    finished: datetime
    annotated: tuple[Annotated, ...] = field(default=(), repr=False)
    skipped: tuple[Skipped, ...] = field(default=(), repr=False)
    duplicates: tuple[Duplicate, ...] = field(default=(), repr=False)
    quarantined: int = 0
    deliveries: DeliveryCounts | None = None
    engine: Engine = field(default_factory=Engine)
    engine_notes: tuple[str, ...] = ()

    @property
    def counts(self) -> Counts:
        """How many inputs ended how."""
        return Counts(len(self.annotated), len(self.skipped), self.quarantined, len(self.duplicates))

    @property
    def flagged(self) -> int:
        """Annotated films that the model finds strange."""
        return sum(item.flagged for item in self.annotated)

    @property
    def reused(self) -> int:
        """Annotated films that an earlier run had finished."""
        return sum(item.reused for item in self.annotated)

    def to_dict(self) -> dict[str, Any]:
        """The manifest as JSON-ready values."""
        return {
            "schema_version": SCHEMA_VERSION,
            "notice": RESEARCH_USE,
            "model": asdict(self.model),
            "engine": {**asdict(self.engine), "notes": list(self.engine_notes)},
            "options": dict(self.options),
            "software": dict(self.software),
            "started": self.started.isoformat(timespec="seconds"),
            "finished": self.finished.isoformat(timespec="seconds"),
            "counts": asdict(self.counts),
            "flagged": self.flagged,
            "reused": self.reused,
            "annotated": [asdict(item) for item in self.annotated],
            "skipped": [asdict(item) for item in self.skipped],
            "duplicates": [asdict(item) for item in self.duplicates],
            **({} if self.deliveries is None else {"deliveries": asdict(self.deliveries)}),
        }

    def to_json(self) -> str:
        """The manifest as indented JSON text."""
        return json.dumps(self.to_dict(), indent=1, ensure_ascii=False) + "\n"


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Writes `manifest.json` in one step.

    Raises:
        OSError: The disk refuses it.
    """
    write_text(folder / MANIFEST_NAME, manifest.to_json())
