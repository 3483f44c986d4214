"""Jobs of kind "explain": the files of a submission are explained, and what a viewer needs is kept beside them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from medcam.core.protocols import Classifier
from medcam.core.radiograph import Radiograph
from medcam.dicom import SourceContext
from medcam.dicom.network.security import Security
from medcam.service.annotate.inputs import find_inputs
from medcam.service.annotate.options import AnnotateOptions, parse_outputs
from medcam.service.annotate.readers import Readers
from medcam.service.annotate.run import annotate
from medcam.service.annotate.tally import Progress
from medcam.service.jobs.worker import Interrupted
from medcam.service.submissions.box import SubmissionBox
from medcam.service.submissions.deaths import Deaths, NotingReaders
from medcam.service.submissions.submission import Submission, SubmissionFolder, too_large
from medcam.store import Job


@dataclass(frozen=True, eq=False)
class SubmissionExplainer:
    """Does jobs of kind "explain". Doing one again goes on where it was left, film by film if a worker died over it.

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
            WebError: The DICOMweb service that it names cannot be searched.
            InputError: What it names there is too much (code `submission-too-large`).
            PermanentError: Workers keep dying over it, and over no film of it (code `job-abandoned`).
        """
        folder = self.box.folder_of(str(job.payload["submission"]))
        if not folder.path.is_dir():
            return
        submission = folder.read()

        alone, deaths = job.losses > 0, Deaths(folder.path)

        def look(progress: Progress) -> None:
            folder.write_progress(progress.done, progress.total)
            if alone:
                deaths.settled()
            if leave():
                raise Interrupted

        with deaths.at_work(alone=alone):
            classifier = self.models(submission.model)
            films = self.box.films(submission)
            films.keep_card(classifier.card)
            readers = self._readers(submission, folder)
            annotate(
                [submission.source or folder.inputs],
                folder.results,
                self._options(submission),
                look,
                NotingReaders(readers, deaths) if alone or deaths.any_film else readers,
                classifier,
                films,
                one_by_one=alone,
            )

    def _readers(self, submission: Submission, folder: SubmissionFolder) -> Readers:
        """Who parses the files; what is fetched has the limits of what is handed in."""
        if not submission.source:
            return self.readers
        if len(find_inputs([submission.source], folder.results, self.security)) > submission.most_files:
            raise too_large(f"more than {submission.most_files} files")
        return _Metered(self.readers, submission.most_bytes)

    def _options(self, submission: Submission) -> AnnotateOptions:
        return AnnotateOptions(
            model=submission.model,
            outputs=parse_outputs(",".join(submission.outputs)),
            workers=self.workers,
            security=self.security,
            method=submission.method or None,
        )


class _Metered:
    """Readers that refuse what comes after so many bytes. Safe for several threads."""

    def __init__(self, readers: Readers, most: int) -> None:
        self._readers, self._most, self._left = readers, most, most
        self._lock = threading.Lock()

    def open(self, data: bytes, name: str) -> SourceContext:
        """What a file is.

        Raises:
            InputError: It cannot be read, or is too much (code `submission-too-large`).
        """
        with self._lock:
            self._left -= len(data)
            if self._left < 0:
                raise too_large(f"more than {self._most >> 20} MiB")
        return self._readers.open(data, name)

    def radiograph(self, data: bytes, name: str) -> Radiograph:
        """Decodes a file."""
        return self._readers.radiograph(data, name)


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
