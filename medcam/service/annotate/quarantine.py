"""The list of refused inputs, written as they are refused."""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType
from typing import Self

from medcam.service.output_errors import writing

QUARANTINE_NAME = "quarantine.jsonl"


class QuarantineLog:
    """Writes `quarantine.jsonl`: one JSON object per line with source, code, message and next_step.

    Args:
        folder: The run's output folder. An older list is replaced: a run judges all its inputs anew.

    Raises:
        OutputError: The file cannot be written; also raised by `add`.
    """

    def __init__(self, folder: Path) -> None:
        with writing():
            self._file = (folder / QUARANTINE_NAME).open("w", encoding="utf-8")

    def add(self, source: str, code: str, message: str, next_step: str) -> None:
        """Adds a line, which is on the disk's side of the process when this returns."""
        record = {"source": source, "code": code, "message": message, "next_step": next_step}
        with writing():
            self._file.write(json.dumps(record, ensure_ascii=False) + "\n")
            self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with writing():
            self._file.close()
