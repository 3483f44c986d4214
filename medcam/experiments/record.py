"""What is kept of a finished experiment: its figures, and where and how they were measured."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medcam.core.errors import UsageError
from medcam.experiments.experiment import Figures
from medcam.service.atomic import write_text

FOLDER = "figures"


@dataclass(frozen=True, slots=True)
class Record:
    """One finished experiment, all that its page is made of.

    Args:
        key: Budget, seed and medcam's version: figures of another key are measured again.
        figures: What was measured.
        seconds: How long it took, stops left out.
        made: The day.
        machine: Where.
        command: How it is measured again.
    """

    key: dict[str, Any]
    figures: Figures
    seconds: float
    made: str
    machine: dict[str, str]
    command: str


def read_record(name: str, out: Path) -> Record | None:
    """The record of an experiment in a folder of pages, or None.

    Raises:
        UsageError: The file is no record.
    """
    path = out / FOLDER / f"{name}.json"
    if not path.is_file():
        return None
    try:
        return Record(**unmarked(json.loads(path.read_text(encoding="utf-8"))))
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(
            f"{path.name} is no record of an experiment", next_step="Delete it; it will be measured again."
        ) from error


def write_record(name: str, record: Record, out: Path) -> None:
    """Keeps a record as JSON."""
    stored = {field: marked(getattr(record, field)) for field in Record.__slots__}
    write_text(out / FOLDER / f"{name}.json", json.dumps(stored, indent=1, allow_nan=False) + "\n")


def plain(figures: Figures) -> Figures:
    """Figures as they will be read again: no tuples, names as text."""
    values: Figures = unmarked(json.loads(json.dumps(marked(figures), allow_nan=False)))
    return values


def marked(value: Any) -> Any:  # noqa: ANN401  JSON
    """JSON has no nan: None stands for it."""
    if isinstance(value, dict):
        return {key: marked(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [marked(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def unmarked(value: Any) -> Any:  # noqa: ANN401  JSON
    """The other way round."""
    if isinstance(value, dict):
        return {key: unmarked(item) for key, item in value.items()}
    if isinstance(value, list):
        return [unmarked(item) for item in value]
    return math.nan if value is None else value
