"""Where files are handed in, asked after, and let go of."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

from medcam.core.errors import InputError
from medcam.dicom.archives import SUFFIXES
from medcam.service.annotate.manifest import MANIFEST_NAME
from medcam.service.output_errors import writing
from medcam.service.studies.address import StoreAddress
from medcam.service.submissions.held_films import HeldFilms
from medcam.service.submissions.status import SubmissionStatus, progress_of, status_of
from medcam.service.submissions.submission import (
    EXPLAIN,
    FOLDER_NAME,
    Submission,
    SubmissionFolder,
    is_id,
    new_id,
    no_such_submission,
    too_large,
)
from medcam.store import JobQueue

_BLOCK = 1 << 20
_PART = ".part"


@dataclass(frozen=True, slots=True)
class SubmissionLimits:
    """What may be handed in, and how long it stays.

    Args:
        bytes: Of all files of a submission.
        files: Of a submission.
        open: Submissions of one owner that are there at a time.
        hours: A submission is let go of after so long.
    """

    bytes: int = 1 << 30
    files: int = 2_000
    open: int = 100
    hours: float = 24.0


@dataclass(frozen=True, eq=False)
class SubmissionBox:
    """The submissions of a store. May be used from several threads and processes.

    Args:
        folder: Where they lie.
        queue: The jobs of the store.
        limits: What may be handed in.
        clock: Seconds since 1970 UTC.
    """

    folder: Path
    queue: JobQueue = field(repr=False)
    limits: SubmissionLimits = field(default_factory=SubmissionLimits)
    clock: Callable[[], float] = time.time
    _known: dict[str, Submission] = field(default_factory=dict, init=False, repr=False)

    @classmethod
    def of(cls, address: StoreAddress, queue: JobQueue, limits: SubmissionLimits | None = None) -> SubmissionBox:
        """The submissions that belong to a store."""
        return cls(address.films / FOLDER_NAME, queue, limits or SubmissionLimits())

    def take(
        self,
        owner: str,
        files: Iterable[tuple[str, IO[bytes]]],
        *,
        model: str,
        method: str = "",
        outputs: Sequence[str] = ("json",),
    ) -> Submission:
        """Takes files in and asks for them to be explained; both are on the disk when this returns.

        Args:
            owner: Who hands them in.
            files: Names and contents. Of a name its ending alone is used: whether it is an archive.
            model: Name of the model that is asked.
            method: Attribution method; empty for the one of the model's head.
            outputs: What is written for each film.

        Raises:
            InputError: No file or too many, too large (code `submission-too-large`), or the owner has too many
                submissions (`too-many-submissions`).
            OutputError: The disk refuses them.
            StoreError: The database does.
        """
        self._refuse_more(owner)

        def fill(folder: Path, fresh: Submission) -> Submission:
            number, size = self._write(folder, files)
            return replace(fresh, files=number, bytes=size)

        return self._keep(self._fresh(owner, model, method, outputs), fill)

    def refer(
        self, owner: str, source: str, *, model: str, method: str = "", outputs: Sequence[str] = ("json",)
    ) -> Submission:
        """Asks for what lies in a DICOMweb service to be explained; it is fetched when its turn comes.

        Args:
            owner: Who asks.
            source: As `medcam annotate` takes it. Whether the service may be asked is the caller's to decide.
            model: As in `take`.
            method: As in `take`.
            outputs: As in `take`.

        Raises:
            InputError: The owner has too many submissions (`too-many-submissions`).
            OutputError: The disk refuses it.
            StoreError: The database does.
        """
        self._refuse_more(owner)
        fresh = self._fresh(owner, model, method, outputs, source)
        return self._keep(fresh, lambda _folder, submission: submission)

    def _fresh(self, owner: str, model: str, method: str, outputs: Sequence[str], source: str = "") -> Submission:
        return Submission(
            new_id(),
            owner,
            self.clock(),
            model,
            method,
            tuple(outputs),
            source=source,
            hours=self.limits.hours,
            most_files=self.limits.files,
            most_bytes=self.limits.bytes,
        )

    def _refuse_more(self, owner: str) -> None:
        if len(self.owned(owner)) >= self.limits.open:
            raise InputError(
                f"{self.limits.open} submissions are there already",
                code="too-many-submissions",
                next_step="Let go of one first.",
            )

    def _keep(self, fresh: Submission, fill: Callable[[Path, Submission], Submission]) -> Submission:
        part = self.folder / f"{fresh.id}{_PART}"
        try:
            with writing():
                (part / "inputs").mkdir(parents=True)
            submission = fill(part / "inputs", fresh)
            SubmissionFolder(part).write(submission)
            with writing():
                part.rename(self.folder / fresh.id)
        finally:
            shutil.rmtree(part, ignore_errors=True)
        self._ask(submission)
        return submission

    def _ask(self, submission: Submission, *, once: bool = False) -> bool:
        payload = {"submission": submission.id}
        return self.queue.enqueue(EXPLAIN, submission.key, payload, once=once, client=submission.owner)

    def owned(self, owner: str) -> list[Submission]:
        """The submissions of an owner, the newest first."""
        mine = [submission for submission in self._all() if submission.owner == owner]
        return sorted(mine, key=lambda one: -one.created)

    def find(self, submission_id: str, owner: str) -> Submission:
        """A submission of an owner.

        Raises:
            InputError: There is none of this id, or it is somebody else's (code `no-such-submission`).
        """
        submission = self.folder_of(submission_id).read()
        if submission.owner != owner:
            raise no_such_submission()
        return submission

    def folder_of(self, submission_id: str) -> SubmissionFolder:
        """Where a submission lies, whoever's it is.

        Raises:
            InputError: The id is none (code `no-such-submission`).
        """
        if not is_id(submission_id):
            raise no_such_submission()
        return SubmissionFolder(self.folder / submission_id)

    def films(self, submission: Submission) -> HeldFilms:
        """The films of a submission that are explained so far."""
        return HeldFilms(self.folder_of(submission.id).films)

    def status(self, submission: Submission) -> SubmissionStatus:
        """How far a submission is, and what became of its files.

        Raises:
            StoreError: The database cannot be used.
        """
        return status_of(self.folder_of(submission.id), self.queue.find(submission.key))

    def progress(self, submissions: Collection[Submission]) -> dict[str, SubmissionStatus | None]:
        """How far submissions are, by their ids, without what was passed over; None for one that was let go of.

        One question to the database, however many they are.

        Raises:
            StoreError: The database cannot be used.
        """
        jobs = self.queue.find_all([one.key for one in submissions])
        folders = {one.id: self.folder_of(one.id) for one in submissions}
        return {
            one.id: progress_of(folders[one.id], jobs.get(one.key)) if folders[one.id].path.is_dir() else None
            for one in submissions
        }

    def discard(self, submission: Submission) -> None:
        """Lets go of a submission and all that was made of it; whoever works on it finds it gone."""
        shutil.rmtree(self.folder_of(submission.id).path, ignore_errors=True)

    def sweep(self) -> int:
        """Lets go of what has been here too long, and of what a killed process was taking in. How many."""
        now, gone, longest = self.clock(), 0, self.limits.hours
        for path in self._folders():
            try:
                if path.name.endswith(_PART):
                    over = path.stat().st_mtime + 3600.0 * self.limits.hours
                else:
                    submission = SubmissionFolder(path).read()
                    over, longest = submission.expires, max(longest, submission.hours)
            except (OSError, InputError):
                continue
            if over < now:
                shutil.rmtree(path, ignore_errors=True)
                gone += 1
        self.queue.purge(EXPLAIN, now - 3600.0 * longest)
        return gone

    def missed(self) -> int:
        """Asks again for submissions that no job knows of, such as after the loss of the database. How many."""
        asked = 0
        for submission in self._all():
            if (self.folder_of(submission.id).results / MANIFEST_NAME).exists():
                continue
            asked += self._ask(submission, once=True)
        return asked

    def _all(self) -> list[Submission]:
        """All submissions. A record never changes: each is read once, and forgotten with its folder."""
        found: dict[str, Submission] = {}
        for path in self._folders():
            try:
                found[path.name] = self._known.get(path.name) or SubmissionFolder(path).read()
            except InputError:
                continue
        self._known.clear()
        self._known.update(found)
        return list(found.values())

    def _folders(self) -> list[Path]:
        return sorted(self.folder.iterdir()) if self.folder.is_dir() else []

    def _write(self, folder: Path, files: Iterable[tuple[str, IO[bytes]]]) -> tuple[int, int]:
        """Writes the files; how many, and of how many bytes."""
        number = size = 0
        for name, content in files:
            if number == self.limits.files:
                raise too_large(f"more than {self.limits.files} files")
            number += 1
            with writing(), (folder / f"{number:04d}{_suffix(name)}").open("xb") as file:
                while block := content.read(_BLOCK):
                    size += len(block)
                    if size > self.limits.bytes:
                        raise too_large(f"more than {self.limits.bytes >> 20} MiB")
                    file.write(block)
        if number == 0:
            raise InputError("no file was handed in", code="no-files", next_step="Choose a DICOM file or an archive.")
        return number, size


def _suffix(name: str) -> str:
    lower = name.lower()
    return next((suffix for suffix in sorted(SUFFIXES, key=len, reverse=True) if lower.endswith(suffix)), ".dcm")
