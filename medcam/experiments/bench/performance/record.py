"""What is kept of the benchmark: the figures of each part, and where, when and how they were measured."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from medcam.core.errors import UsageError
from medcam.experiments.bench.performance.values import Found
from medcam.experiments.record import marked, unmarked
from medcam.service.atomic import write_text


@dataclass(frozen=True, slots=True)
class PartRecord:
    """One measured part.

    Args:
        found: Plain values, all that its section is made of.
        error: Why there are none; empty where there are.
        seconds: How long it took.
        load: Load average of the last minute as it began; nan where the system does not tell.
        load_after: The same as it ended.
        made: The day.
        quick: Whether by the plan of `--quick`.
        machine: Where.
        version: Of medcam.
    """

    found: Found
    error: str
    seconds: float
    load: float
    load_after: float
    made: str
    quick: bool
    machine: dict[str, str]
    version: str


Records = Mapping[str, PartRecord]


def read_records(path: Path) -> dict[str, PartRecord]:
    """The parts of a record file; none where there is no file.

    Raises:
        UsageError: The file is no such record (code `bench-record`).
    """
    if not path.is_file():
        return {}
    try:
        stored = unmarked(json.loads(path.read_text(encoding="utf-8")))
        return {name: PartRecord(**part) for name, part in stored.items()}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise UsageError(
            f"{path.name} is no record of the benchmark",
            code="bench-record",
            next_step="Delete it; it will be measured again.",
        ) from error


def write_records(path: Path, records: Records) -> None:
    """Keeps the parts as JSON."""
    stored = {name: marked(asdict(part)) for name, part in records.items()}
    write_text(path, json.dumps(stored, indent=1, allow_nan=False) + "\n")
