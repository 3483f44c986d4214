"""What `medcam annotate` wrote about a run as a whole: `manifest.json` and `quarantine.jsonl`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_MANIFEST, _QUARANTINE = "manifest.json", "quarantine.jsonl"


@dataclass(frozen=True, slots=True)
class SetAside:
    """An input without results: skipped or quarantined.

    Args:
        source: What the run called it.
        code: Stable code of the reason.
        message: The reason in words.
    """

    source: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run as a whole.

    Args:
        complete: Whether the manifest is there, which is written last.
        counts: Number of inputs by outcome; empty without a manifest.
        skipped: Inputs that were passed over.
        quarantined: Inputs that were refused.
        problem: What of the record cannot be read; empty when all can.
    """

    complete: bool
    counts: Mapping[str, int] = field(default_factory=dict)
    skipped: tuple[SetAside, ...] = ()
    quarantined: tuple[SetAside, ...] = ()
    problem: str = ""


def read_run(folder: Path) -> RunRecord:
    """Reads the record of a run, finished or under way. What cannot be read is named in it; nothing is raised."""
    quarantined, torn = _quarantine(folder / _QUARANTINE)
    problem = f"{_QUARANTINE}: {torn} lines cannot be read" if torn else ""
    try:
        manifest = json.loads((folder / _MANIFEST).read_bytes())
        counts = {str(name): int(number) for name, number in manifest["counts"].items()}
        skipped = tuple(_set_aside(entry, "reason") for entry in manifest["skipped"])
    except FileNotFoundError:
        return RunRecord(False, quarantined=quarantined, problem=problem)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return RunRecord(True, quarantined=quarantined, problem=f"{_MANIFEST} cannot be read")
    return RunRecord(True, counts, skipped, quarantined, problem)


def _quarantine(path: Path) -> tuple[tuple[SetAside, ...], int]:
    try:
        lines = path.read_bytes().splitlines()
    except OSError:
        return (), 0
    read = list(_readable(lines))
    return tuple(read), len([line for line in lines if line.strip()]) - len(read)


def _readable(lines: list[bytes]) -> Iterator[SetAside]:
    for line in lines:
        try:
            yield _set_aside(json.loads(line), "message")
        except (ValueError, KeyError, TypeError):
            # The last line of a run under way may be half written; the caller counts what is missing.
            continue


def _set_aside(record: Any, why: str) -> SetAside:  # noqa: ANN401  parsed JSON
    return SetAside(str(record["source"]), str(record["code"]), str(record[why]))
