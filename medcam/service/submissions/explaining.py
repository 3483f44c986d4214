"""Jobs of kind "explain": the files of a submission are explained, and what a viewer needs is kept beside them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from medcam.core.protocols import Classifier
from medcam.dicom.network.security import Security
from medcam.service.annotate.options import AnnotateOptions, parse_outputs
from medcam.service.annotate.run import annotate
from medcam.service.annotate.stages import Readers
from medcam.service.annotate.tally import Progress
from medcam.service.jobs.worker import Interrupted
from medcam.service.submissions.box import SubmissionBox
from medcam.service.submissions.submission import Submission
from medcam.store import Job


@dataclass(frozen=True, eq=False)
class SubmissionExplainer:
    """Does jobs of kind "explain". Doing one again goes on where it was left.

    Args:
        box: The submissions.
        models: The classifier of a name, loaded once.
        readers: Who parses the files.
        workers: Threads that read and prepare.
        security: How DICOMweb services are called that submissions name.
    """

    box: SubmissionBox
    models: Callable[[str], Classifier] = field(repr=False)
    readers: Readers = field(repr=False)
    workers: int = 1
    security: Security = field(default_factory=Security, repr=False)

    def __call__(self, job: Job, leave: Callable[[], bool]) -> None:
        """Explains the submission of a job; one that was let go of meanwhile is done.

        Raises:
            Interrupted: It was told to leave; films that are finished stay.
            OutputError: The disk refuses results.
            ModelError: The model cannot be loaded.
        """
        folder = self.box.folder_of(str(job.payload["submission"]))
        if not folder.path.is_dir():
            return
        submission = folder.read()

        def look(progress: Progress) -> None:
            folder.write_progress(progress.done, progress.total)
            if leave():
                raise Interrupted

        classifier = self.models(submission.model)
        films = self.box.films(submission)
        films.keep_card(classifier.card)
        annotate(
            [submission.source or folder.inputs],
            folder.results,
            self._options(submission),
            look,
            self.readers,
            classifier,
            films,
        )

    def _options(self, submission: Submission) -> AnnotateOptions:
        return AnnotateOptions(
            model=submission.model,
            outputs=parse_outputs(",".join(submission.outputs)),
            workers=self.workers,
            security=self.security,
            method=submission.method or None,
        )


class LoadedModels:
    """Classifiers by name, each loaded when it is first asked for. Safe for several threads.

    Args:
        load: Loads one.
        most: How many are kept; the one that was used longest ago is let go of.
    """

    def __init__(self, load: Callable[[str], Classifier], most: int = 4) -> None:
        self._load, self._most = load, most
        self._lock = threading.Lock()
        self._kept: dict[str, Classifier] = {}

    def __call__(self, name: str) -> Classifier:
        """The classifier of a name.

        Raises:
            ModelError: It cannot be loaded.
        """
        with self._lock:
            classifier = self._kept.pop(name, None) or self._load(name)
            self._kept[name] = classifier
            while len(self._kept) > self._most:
                del self._kept[next(iter(self._kept))]
            return classifier
