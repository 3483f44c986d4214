"""How far a submission is, and what became of its files."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from medcam.service.annotate.manifest import MANIFEST_NAME
from medcam.service.annotate.quarantine import QUARANTINE_NAME
from medcam.service.submissions.submission import SubmissionFolder, read_json
from medcam.store import Job, JobState


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A file that was not explained.

    Args:
        source: Its number among the inputs, with its name in an archive behind it.
        code: Why.
        message: Why, in words.
        next_step: What can be done; empty for what is no chest film.
        refused: Whether it is broken, or not what it should be; False for what was merely no frontal chest film.
    """

    source: str
    code: str
    message: str
    next_step: str
    refused: bool


@dataclass(frozen=True, slots=True)
class SubmissionStatus:
    """How far a submission is.

    Args:
        state: Where its job stands.
        done: Inputs dealt with.
        total: Inputs in all; 0 before the work begins.
        passed_over: Inputs without an explanation; complete when the state is done.
        error_code: Why the last try failed; empty where none did.
        error_message: The same in words.
    """

    state: JobState
    done: int
    total: int
    passed_over: tuple[PassedOver, ...] = ()
    error_code: str = ""
    error_message: str = ""

    @property
    def waiting(self) -> bool:
        """Whether nobody has begun with it."""
        return self.state is JobState.WAITING and not self.total

    @property
    def failed(self) -> bool:
        """Whether it was given up."""
        return self.state is JobState.FAILED

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return self.state in (JobState.DONE, JobState.FAILED)


def status_of(folder: SubmissionFolder, job: Job | None) -> SubmissionStatus:
    """The status of a submission.

    Args:
        folder: Where it lies.
        job: Its last job; None where that is forgotten, which the manifest then stands for.
    """
    manifest = read_json(folder.results / MANIFEST_NAME)
    return replace(progress_of(folder, job), passed_over=tuple(_passed_over(folder, manifest)))


def progress_of(folder: SubmissionFolder, job: Job | None) -> SubmissionStatus:
    """The same without what was passed over, which is more to read.

    Args:
        folder: As in `status_of`.
        job: As in `status_of`.
    """
    done, total = (0, 0) if job is not None and job.attempts == 0 else folder.progress()
    if job is None:
        complete = (folder.results / MANIFEST_NAME).is_file()
        return SubmissionStatus(JobState.DONE if complete else JobState.WAITING, done, total)
    return SubmissionStatus(job.state, done, total, (), job.error_code, job.error_message)


def _passed_over(folder: SubmissionFolder, manifest: dict[str, Any]) -> list[PassedOver]:
    try:
        text = (folder.results / QUARANTINE_NAME).read_text(encoding="utf-8")
    except OSError:
        text = ""
    refused = [
        PassedOver(line["source"], line["code"], line["message"], line["next_step"], refused=True)
        # The last line may be half written while the work goes on.
        for line in map(json.loads, text.split("\n")[:-1])
    ]
    skipped = [
        PassedOver(item["source"], item["code"], item["reason"], "", refused=False)
        for item in manifest.get("skipped", ())
    ]
    return [*refused, *skipped]
