"""What was given up, kept where a person finds it: a folder per job, with its reason and the objects."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from medcam.core.errors import MedcamError
from medcam.service.atomic import write_text
from medcam.store import Job

REASON_NAME = "reason.json"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a job was given up.

    Args:
        kind: Of the job.
        subject: Which study or film, as its folder is called.
        destination: Where it was to go; empty where it was not to be sent.
        code: Of the last error.
        message: Of the last error.
        next_step: What can be done.
        failures: How often it failed.
        given_up: When, in UTC.
    """

    kind: str
    subject: str
    destination: str
    code: str
    message: str
    next_step: str
    failures: int
    given_up: str


class DeadLetters:
    """The folder of dead letters.

    Args:
        folder: Where.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, job: Job) -> Path:
        """The folder of a job's dead letter, there or not: its kind and a digest of its key."""
        return self._folder / f"{job.kind}-{hashlib.sha256(job.key.encode()).hexdigest()[:16]}"

    def keep(
        self, job: Job, error: MedcamError, subject: str, destination: str = "", objects: Iterable[Path] = ()
    ) -> None:
        """Writes the dead letter of a job, the reason last; writing it again changes nothing but the reason.

        Raises:
            OSError: The disk refuses it.
        """
        folder = self.path(job)
        folder.mkdir(parents=True, exist_ok=True)
        for source in objects:
            if source.is_file():
                _link_or_copy(source, folder / source.name)
        reason = Reason(
            kind=job.kind,
            subject=subject,
            destination=destination,
            code=error.code,
            message=error.message,
            next_step=error.next_step,
            failures=job.failures + 1,
            given_up=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        write_text(folder / REASON_NAME, json.dumps(asdict(reason), indent=1) + "\n")

    def remove(self, job: Job) -> None:
        """Takes a dead letter away, its job being tried again."""
        shutil.rmtree(self.path(job), ignore_errors=True)


def _link_or_copy(source: Path, target: Path) -> None:
    """A second name for the same bytes where the file system allows it."""
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    part.unlink(missing_ok=True)
    try:
        os.link(source, part)
    except OSError:
        shutil.copyfile(source, part)
    part.replace(target)
    part.unlink(missing_ok=True)  # renaming one name of a file to another of its names leaves both
