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
    quarantined, problem = _quarantine(folder / _QUARANTINE)
    try:
        manifest = json.loads((folder / _MANIFEST).read_bytes())
        counts = {str(name): int(number) for name, number in manifest["counts"].items()}
        skipped = tuple(_set_aside(entry, "reason") for entry in manifest["skipped"])
    except FileNotFoundError:
        return RunRecord(False, quarantined=quarantined, problem=problem)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError):
        problems = ". ".join(filter(None, (f"{_MANIFEST} cannot be read", problem)))
        return RunRecord(True, quarantined=quarantined, problem=problems)
    return RunRecord(True, counts, skipped, quarantined, problem)


def _quarantine(path: Path) -> tuple[tuple[SetAside, ...], str]:
    """The refused inputs, and what of the list cannot be read."""
    try:
        lines = [line for line in path.read_bytes().splitlines() if line.strip()]
    except FileNotFoundError:
        return (), ""
    except OSError:
        return (), f"{_QUARANTINE} cannot be read"
    read = tuple(_readable(lines))
    torn = len(lines) - len(read)
    return read, f"{_QUARANTINE}: {torn} {'line' if torn == 1 else 'lines'} cannot be read" if torn else ""


def _readable(lines: list[bytes]) -> Iterator[SetAside]:
    for line in lines:
        try:
            yield _set_aside(json.loads(line), "message")
        except (ValueError, KeyError, TypeError, RecursionError):
            # The last line of a run under way may be half written; the caller counts what is missing.
            continue


def _set_aside(record: Any, why: str) -> SetAside:  # noqa: ANN401  parsed JSON
    return SetAside(str(record["source"]), str(record["code"]), str(record[why]))
