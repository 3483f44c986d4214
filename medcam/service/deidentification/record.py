"""Remembers what a run has finished, so that the next one can go on: one line per output, nothing original in it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from medcam.service.deidentification.report import Written
from medcam.service.output_errors import writing

RECORD_NAME = ".deidentified.jsonl"


class FinishedOutputs:
    """The outputs that a folder holds, by a digest of their source under the run's secret.

    Args:
        folder: The output folder.
        resume: Whether what an earlier run wrote counts.

    Raises:
        OutputError: The record cannot be written; also raised by `add`.
    """

    def __init__(self, folder: Path, *, resume: bool) -> None:
        self.folder = folder
        self._known: dict[str, Mapping[str, Any]] = {}
        path, text = folder / RECORD_NAME, ""
        with writing():
            if resume and path.is_file():
                text = path.read_text(encoding="utf-8", errors="replace")
                for line in text.splitlines():
                    self._take(line)
            self._file = path.open("a" if resume else "w", encoding="utf-8")
            if text and not text.endswith("\n"):  # a kill cut the last line short: the next one must not join it
                self._file.write("\n")

    def find(self, source: str, number: int) -> Written | None:
        """The output of a source, if it is there and as it was written.

        Args:
            source: Digest of the source and of all that decides about its output.
            number: Of the input in this run.
        """
        entry = self._known.get(source)
        if entry is None:
            return None
        try:
            path = self.folder / entry["written"]["file"]
            if hashlib.sha256(path.read_bytes()).hexdigest() != entry["sha256"]:
                return None
            kept = entry["written"] | {"input": number, "kept": True, "warnings": tuple(entry["written"]["warnings"])}
            return Written(**kept)
        except (OSError, LookupError, TypeError):
            return None

    def add(self, source: str, written: Written, data: bytes) -> None:
        """Adds an output, whose file is complete."""
        entry = {"source": source, "sha256": hashlib.sha256(data).hexdigest(), "written": asdict(written)}
        with writing():
            self._file.write(json.dumps(entry) + "\n")
            self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with writing():
            self._file.close()

    def _take(self, line: str) -> None:
        try:
            entry = json.loads(line)
            self._known[entry["source"]] = entry
        except (ValueError, LookupError, TypeError):  # a line that a kill cut short
            return
