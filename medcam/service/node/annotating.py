"""Jobs of kind "annotate": a study that has been quiet is explained, and what came of each film is to be sent."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field

from medcam.core.errors import MedcamError
from medcam.core.protocols import Classifier
from medcam.service.annotate.manifest import MANIFEST_NAME
from medcam.service.annotate.options import AnnotateOptions
from medcam.service.annotate.outcomes import Annotated, Outcome, Quarantined, Skipped
from medcam.service.annotate.quarantine import QUARANTINE_NAME
from medcam.service.annotate.readers import Readers
from medcam.service.annotate.run import annotate
from medcam.service.annotate.tally import Progress
from medcam.service.jobs.worker import Interrupted
from medcam.service.node.data_folder import DataFolder
from medcam.service.node.dead_letters import DeadLetters
from medcam.service.node.inbox import Inbox
from medcam.service.node.metrics import NodeMetrics
from medcam.service.output_errors import writing
from medcam.service.studies.keep import FilmKeeper
from medcam.store import Job, JobQueue

ANNOTATE = "annotate"


def annotate_key(study: str) -> str:
    """The key of a study's job."""
    return f"{ANNOTATE}:{study}"


def ask_to_annotate(queue: JobQueue, study: str, *, quiet_s: float, once: bool = False) -> None:
    """Asks for a study to be annotated when it has been quiet for so many seconds."""
    queue.enqueue(ANNOTATE, annotate_key(study), {"study": study}, delay=quiet_s, once=once)


@dataclass(frozen=True, eq=False)
class StudyAnnotator:
    """Does jobs of kind "annotate". One at a time: all studies share one folder of results.

    Films that are finished are kept as they are; late films of a study are added to them.

    Args:
        folder: The node's data.
        inbox: What was received.
        options: What is made of each film.
        classifier: The model, loaded.
        readers: Who parses the files.
        finished: Called with the folder of each film that has results, such as "0123456789abcdef/fedcba9876543210";
            called again when the study is gone through again.
        keeper: Keeps the films for readers; None where nobody reads them here.
        metrics: What is counted.
        letters: For what is given up.
    """

    folder: DataFolder
    inbox: Inbox
    options: AnnotateOptions
    classifier: Classifier = field(repr=False)
    readers: Readers = field(repr=False)
    finished: Callable[[str], None] = field(repr=False)
    keeper: FilmKeeper | None = field(repr=False)
    metrics: NodeMetrics = field(repr=False)
    letters: DeadLetters = field(repr=False)

    def __call__(self, job: Job, leave: Callable[[], bool]) -> None:
        """Annotates the study of a job.

        Raises:
            Interrupted: It was told to leave; films that are finished stay.
            OutputError: The disk refuses results.
        """
        study = str(job.payload["study"])
        source = self.inbox.study_folder(study)
        if not source.is_dir():  # let go of meanwhile
            return
        known = self._known(study)

        def look(progress: Progress) -> None:
            self._settle(progress.last, known)
            if leave():
                raise Interrupted

        annotate([source], self.folder.results, self.options, look, self.readers, self.classifier, self.keeper)
        self._keep_record(study)

    def bury(self, job: Job, error: MedcamError) -> None:
        """Keeps the dead letter of a study; its objects stay in the inbox."""
        self.letters.keep(job, error, str(job.payload["study"]))

    def _settle(self, outcome: Outcome, known: frozenset[str]) -> None:
        match outcome:
            case Annotated():
                if not outcome.reused:
                    self.metrics.annotated.inc()
                self.finished(outcome.folder)
            case Skipped() if outcome.source not in known:
                self.metrics.skipped.inc()
            case Quarantined() if outcome.source not in known:
                self.metrics.quarantined.inc()

    def _known(self, study: str) -> frozenset[str]:
        """Inputs that an earlier run over this study has passed over or refused."""
        record = self.folder.record(study)
        try:
            skipped = json.loads((record / MANIFEST_NAME).read_text(encoding="utf-8"))["skipped"]
            refused = map(json.loads, (record / QUARANTINE_NAME).read_text(encoding="utf-8").splitlines())
            return frozenset(item["source"] for item in (*skipped, *refused))
        except (OSError, ValueError, KeyError, TypeError):
            return frozenset()

    def _keep_record(self, study: str) -> None:
        """Moves manifest and quarantine list to the study: the next run writes its own."""
        record = self.folder.record(study)
        with writing():
            record.mkdir(exist_ok=True)
            for name in (QUARANTINE_NAME, MANIFEST_NAME):
                (self.folder.results / name).replace(record / name)
