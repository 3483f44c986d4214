"""Which film of a submission kills the processes that work on it: noted while they live, read when they have died.

A submission that no worker died over is worked on as fast as may be, many films at a time. One that a worker died over
is worked on film by film, with nothing else in the process, and what is being done is written down before it is done:
whatever kills the next worker is then known by name. A film that has killed `TRIES` workers all by itself is refused,
and the others of its submission go on without it.

    SUBMISSIONS/<id>/at-work.log     absent, but while somebody works or after he has died: how, and the films begun
    SUBMISSIONS/<id>/deaths.json     how many workers each film has killed, by its digest
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from medcam.core.errors import InputError
from medcam.core.radiograph import Radiograph
from medcam.dicom import SourceContext
from medcam.service.annotate.readers import Readers
from medcam.service.atomic import write_text
from medcam.service.jobs.retrying import PermanentError
from medcam.service.jobs.worker import abandoned
from medcam.service.output_errors import writing
from medcam.service.submissions.submission import read_json

TRIES = 2
"""Workers that a film may kill all by itself."""
UNNAMED = 3
"""Workers that may die before any film was begun: then no film is to blame."""
_TOGETHER, _ALONE, _SETTLED, _NO_FILM = "together", "alone", "-", ""


@dataclass(frozen=True, eq=False)
class Deaths:
    """What is known of workers that died over a submission.

    Args:
        folder: Of the submission.
    """

    folder: Path

    @contextmanager
    def at_work(self, *, alone: bool) -> Iterator[None]:
        """Says that somebody works on the submission; what an earlier one died over is counted first.

        Args:
            alone: Whether films are worked on one by one, each told by `begin`.

        Raises:
            PermanentError: Workers keep dying before they begin a film (code `job-abandoned`).
            OutputError: The disk refuses a note.
        """
        self._count()
        with writing():
            write_text(self._log, (_ALONE if alone else _TOGETHER) + "\n")
        try:
            yield
        finally:
            with suppress(OSError):  # such as a folder that was let go of meanwhile
                self._log.unlink(missing_ok=True)

    def begin(self, sha256: str) -> None:
        """Notes that a film is begun.

        Raises:
            InputError: It has killed too many workers (code `worker-died`).
            OutputError: The disk refuses the note.
        """
        if self._counts().get(sha256, 0) >= TRIES:
            raise InputError(
                "each process that worked on this film by itself died over it",
                code="worker-died",
                next_step="Look in the system's log for what ended them, such as a want of memory, and check the film "
                "with a DICOM viewer.",
            )
        self._note(sha256)

    def settled(self) -> None:
        """Notes that the film that was begun is dealt with."""
        self._note(_SETTLED)

    @property
    def any_film(self) -> bool:
        """Whether a film has killed a worker all by itself."""
        return any(name != _NO_FILM for name in self._counts())

    @property
    def _log(self) -> Path:
        return self.folder / "at-work.log"

    @property
    def _record(self) -> Path:
        return self.folder / "deaths.json"

    def _counts(self) -> dict[str, int]:
        return {str(name): int(count) for name, count in read_json(self._record).items()}

    def _count(self) -> None:
        try:
            how, *begun = self._log.read_text(encoding="ascii").split("\n")
        except (OSError, ValueError):
            return  # whoever worked on it before has ended well, or nobody did
        lines = [line for line in begun if line]
        last = lines[-1] if lines else _NO_FILM
        if last == _SETTLED or (how == _TOGETHER and last != _NO_FILM):
            last = _NO_FILM
        counts = self._counts()
        counts[last] = counts.get(last, 0) + 1
        with writing():
            write_text(self._record, json.dumps(counts))
            self._log.unlink(missing_ok=True)
        if counts.get(_NO_FILM, 0) >= UNNAMED:
            raise PermanentError(abandoned())

    def _note(self, line: str) -> None:
        with writing(), self._log.open("a", encoding="ascii") as log:
            log.write(line + "\n")


@dataclass(frozen=True, eq=False)
class NotingReaders:
    """Readers that say which film is begun; see `Readers`."""

    readers: Readers = field(repr=False)
    deaths: Deaths

    def open(self, data: bytes, name: str) -> SourceContext:
        """What a file is.

        Raises:
            InputError: It cannot be read, or has killed too many workers (code `worker-died`).
        """
        self.deaths.begin(hashlib.sha256(data).hexdigest())
        return self.readers.open(data, name)

    def radiograph(self, data: bytes, name: str) -> Radiograph:
        """Decodes a file."""
        return self.readers.radiograph(data, name)
