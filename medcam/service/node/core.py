"""A node without its doors: takes what arrives, and knows how its jobs are done."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial

from medcam.core.errors import MedcamError
from medcam.core.protocols import Classifier
from medcam.dicom.network.commitment import CommitmentReport, CommitmentRequest
from medcam.dicom.network.received import ReceivedObject
from medcam.service.annotate.readers import Readers
from medcam.service.jobs.retrying import RetryPolicy
from medcam.service.jobs.worker import Handler, Task, Worker
from medcam.service.node.annotating import ANNOTATE, StudyAnnotator, ask_to_annotate
from medcam.service.node.committing import COMMIT, CommitmentReporter, ask_to_report, check
from medcam.service.node.data_folder import DataFolder
from medcam.service.node.dead_letters import DeadLetters
from medcam.service.node.inbox import Inbox
from medcam.service.node.metrics import NodeMetrics
from medcam.service.node.options import NodeOptions
from medcam.service.node.retention import Retention
from medcam.service.node.room import Room
from medcam.service.node.sending import SEND, FilmSender, ask_to_send
from medcam.service.studies.keep import FilmKeeper
from medcam.store import Job, JobQueue, Store

_LOG = logging.getLogger("medcam.node")
_ANNOTATING = RetryPolicy(attempts=10, first=5.0, longest=600.0)
_REPORTING = RetryPolicy(attempts=10, first=5.0, longest=600.0)
SENDERS = 2
"""Threads that send: a destination that is slow to answer does not keep the others waiting."""


class NodeCore:
    """What a node does. Takes objects (see `medcam.dicom.network.scp.Owner`) and makes the workers for their jobs.

    Args:
        options: How it works.
        folder: Its data, locked by this process.
        store: Its database.
        keeper: Keeps the films for readers; None where nobody reads them here.
    """

    def __init__(
        self, options: NodeOptions, folder: DataFolder, store: Store, keeper: FilmKeeper | None = None
    ) -> None:
        self.options, self.folder, self.keeper = options, folder, keeper
        self.queue = JobQueue(store)
        self.room = Room(folder.path, options.quota)
        self.inbox = Inbox(folder, self.room)
        self.metrics = NodeMetrics(self.queue, self.room)
        self.letters = DeadLetters(folder.dead_letters)
        self.retention = Retention(folder, self.inbox, self.room, self.queue, options.keep_days, self.metrics)

    def take(self, received: ReceivedObject) -> None:
        """Keeps an object and asks for its study to be annotated; both are on the disk when this returns.

        Raises:
            OutOfResourcesError: There is no room.
            MedcamError: Disk or database fail.
        """
        kept = self.inbox.keep(received, partial(self._ask, once=False))
        (self.metrics.received if kept.new else self.metrics.duplicates).inc()

    def commit_later(self, request: CommitmentRequest) -> bool:
        """Whether the peer is known, so that it is reported to over an association of its own."""
        if request.calling_aet not in self.options.peers:
            return False
        ask_to_report(self.queue, request)
        return True

    def commit(self, request: CommitmentRequest) -> CommitmentReport:
        """Looks which objects are kept."""
        report = check(self.inbox, request)
        self.metrics.committed.inc(len(report.kept))
        return report

    def notice(self, event: str) -> None:
        """Counts what happens at the door."""
        self.metrics.events.labels(event).inc()

    def resume(self) -> None:
        """Asks for studies that are in the inbox and that no job knows of, such as after the loss of the database."""
        for study in self.inbox.studies():
            self._ask(study, once=True)

    def revive(self) -> int:
        """Lets what was given up be tried again; how many jobs."""
        revived = 0
        for kind in (ANNOTATE, SEND, COMMIT):
            for job in self.queue.failed(kind):
                revived += self.queue.revive(job)
                self.letters.remove(job)
        return revived

    def workers(self, classifier: Classifier, readers: Readers) -> list[Worker]:
        """One worker that annotates, and a few that send.

        Args:
            classifier: The model, loaded.
            readers: Who parses the files.
        """
        annotator = StudyAnnotator(
            folder=self.folder,
            inbox=self.inbox,
            options=self.options.annotate,
            classifier=classifier,
            readers=readers,
            finished=lambda film: ask_to_send(self.queue, self.folder, film, self.options.send_to),
            keeper=self.keeper,
            metrics=self.metrics,
            letters=self.letters,
        )
        sender = FilmSender(self.folder, self.options.security, self.metrics, self.letters)
        reporter = CommitmentReporter(
            self.inbox, self.options.listen.aet, self.options.peers, self.metrics, self.letters
        )
        sending = {
            SEND: self._task(sender, self.options.sending, sender.bury),
            COMMIT: self._task(reporter, _REPORTING, reporter.bury),
        }
        return [
            self._worker({ANNOTATE: self._task(annotator, _ANNOTATING, annotator.bury)}, "annotate"),
            *(self._worker(sending, f"send-{number}") for number in range(SENDERS)),
        ]

    def ready(self) -> list[str]:
        """Why the node cannot take or do anything now; empty where it can."""
        reasons = []
        if self.room.free == 0:
            reasons.append("no room for received objects")
        try:
            self.queue.counts()
        except MedcamError:
            reasons.append("the database does not answer")
        return reasons

    def _ask(self, study: str, *, once: bool) -> None:
        ask_to_annotate(self.queue, study, quiet_s=self.options.quiet_s, once=once)

    def _task(self, handler: Handler, policy: RetryPolicy, bury: Callable[[Job, MedcamError], None]) -> Task:
        def timed(job: Job, leave: Callable[[], bool]) -> None:
            began = time.monotonic()
            try:
                handler(job, leave)
            finally:
                self.metrics.seconds.labels(job.kind).observe(time.monotonic() - began)

        return Task(timed, policy, bury)

    def _worker(self, tasks: Mapping[str, Task], name: str) -> Worker:
        return Worker(self.queue, tasks, f"node {self.folder.name} {name}", ended=self._ended)

    def _ended(self, job: Job, how: str) -> None:
        _LOG.info("job ended", extra={"kind": job.kind, "job": job.id, "how": how})
        if how == "retried":
            self.metrics.failed.labels(job.kind).inc()
        elif how == "failed":
            self.metrics.dead.labels(job.kind).inc()


def run_workers(workers: list[Worker], stop: threading.Event) -> list[threading.Thread]:
    """Starts a thread for each worker; they end when the event is set and the job at hand is over."""
    threads = [
        threading.Thread(target=worker.run, args=(stop,), name=f"medcam-worker-{number}", daemon=True)
        for number, worker in enumerate(workers)
    ]
    for thread in threads:
        thread.start()
    return threads
