"""The folder that a node keeps everything in, held by one process at a time."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from medcam.core.errors import UsageError


@dataclass(frozen=True, slots=True)
class DataFolder:
    """Where things lie.

    Args:
        path: The folder; see `docs/how-to/run-as-a-node.md`.
    """

    path: Path

    @property
    def inbox(self) -> Path:
        """What was received: inbox/<study>/<instance>-<number>-<digest>.dcm."""
        return self.path / "inbox"

    @property
    def parts(self) -> Path:
        """What is being received, on the same file system."""
        return self.path / "parts"

    @property
    def results(self) -> Path:
        """As `medcam annotate --out` writes them."""
        return self.path / "results"

    @property
    def dead_letters(self) -> Path:
        """What could not be sent, each with its reason."""
        return self.path / "dead-letter"

    @property
    def database(self) -> Path:
        """The jobs, where no other database is named."""
        return self.path / "node.db"

    @property
    def name(self) -> str:
        """A name for this folder among others: 16 hexadecimal digits."""
        return hashlib.sha256(os.fsencode(os.path.realpath(self.path))).hexdigest()[:16]

    def record(self, study: str) -> Path:
        """Where manifest and quarantine list of a study's last run go."""
        return self.results / study

    def make(self) -> None:
        """Makes the folders, and empties what a killed process was receiving.

        Raises:
            UsageError: The disk refuses it (code `output-not-writable`).
        """
        try:
            shutil.rmtree(self.parts, ignore_errors=True)
            for folder in (self.inbox, self.parts, self.results, self.dead_letters):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _not_writable(error) from error


class FolderLock:
    """Keeps a second node out of a data folder. The system lets go of it when the process ends, however it ends.

    Args:
        folder: The data folder; made where it is absent.
    """

    def __init__(self, folder: DataFolder) -> None:
        self._folder = folder
        self._file: IO[str] | None = None

    def __enter__(self) -> Self:
        """Takes the lock.

        Raises:
            UsageError: Another process has it (code `node-running`), or the disk refuses it (`output-not-writable`).
        """
        try:
            self._folder.path.mkdir(parents=True, exist_ok=True)
            file = (self._folder.path / "node.lock").open("w", encoding="utf-8")
        except OSError as error:
            raise _not_writable(error) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.close()
            raise UsageError(
                "another node works on this data folder",
                code="node-running",
                next_step="Stop it first, or give this one a folder of its own with --data.",
            ) from error
        self._file = file
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()


def _not_writable(error: OSError) -> UsageError:
    return UsageError(
        f"the data folder cannot be written ({error.strerror or type(error).__name__})",
        code="output-not-writable",
        next_step="Choose another one with --data, or change its permissions.",
    )
