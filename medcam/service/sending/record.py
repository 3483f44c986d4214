"""The record of deliveries: one JSON line per attempt, which a killed process leaves readable."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

RECORD_NAME = "deliveries.jsonl"
ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One line of the record.

    Args:
        time: When it ended, ISO 8601.
        destination: Where to, as the command line names it.
        file: The object, relative to the record's folder.
        sha256: Digest of its bytes.
        outcome: "accepted", "refused" or "failed".
        code: Why, where it was not accepted.
        detail: The same in words.
    """

    time: str
    destination: str
    file: str
    sha256: str
    outcome: str
    code: str = ""
    detail: str = ""


class DeliveryRecord:
    """A record that grows. Not for two threads at once; several processes may append to the same file.

    Args:
        path: The file; made with the first attempt that is written.

    Raises:
        OSError: It cannot be read; also raised by `write`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._accepted = {
            (attempt["destination"], attempt["sha256"])
            for attempt in _lines(path)
            if attempt.get("outcome") == ACCEPTED and {"destination", "sha256"} <= attempt.keys()
        }

    def has_accepted(self, destination: str, sha256: str) -> bool:
        """Whether a destination has an object of these bytes."""
        return (destination, sha256) in self._accepted

    def write(self, attempts: Sequence[Attempt]) -> None:
        """Adds attempts; they are on the disk when this returns."""
        if not attempts:
            return
        text = "".join(json.dumps(asdict(attempt), ensure_ascii=False) + "\n" for attempt in attempts)
        with self._path.open("a+b") as file:
            if file.tell() and not _ends_a_line(file):
                text = "\n" + text  # a process that was killed left half a line
            file.write(text.encode("utf-8", "backslashreplace"))
            file.flush()
            os.fsync(file.fileno())
        self._accepted |= {(item.destination, item.sha256) for item in attempts if item.outcome == ACCEPTED}


def _ends_a_line(file: Any) -> bool:  # noqa: ANN401  a binary file
    file.seek(-1, os.SEEK_END)
    return bool(file.read(1) == b"\n")


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    """The lines that are whole."""
    if not path.exists():
        return
    with path.open("rb") as file:
        for line in file:
            try:
                fields = json.loads(line)
            except ValueError:
                continue
            if isinstance(fields, dict):
                yield fields
