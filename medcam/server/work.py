"""A worker as a process: explains what was handed in to a store, until it is told to stop."""

from __future__ import annotations

import logging
import os
import platform
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from medcam.anatomy import shipped_atlas
from medcam.core.errors import MedcamError
from medcam.core.protocols import Classifier
from medcam.dicom.network.security import Security, headers_from_environment
from medcam.dicom.sandbox.pool import ReaderPool
from medcam.models.engines.names import AUTO, parse_engine
from medcam.models.registry import load_model
from medcam.service.jobs.batching import BatchingClassifier
from medcam.service.jobs.retrying import RetryPolicy
from medcam.service.jobs.turns import FairTurns
from medcam.service.jobs.worker import TOGETHER, Task, Worker
from medcam.service.studies.opened import OpenedStore, opened_store
from medcam.service.submissions.box import SubmissionBox, SubmissionLimits
from medcam.service.submissions.explaining import LoadedModels, SubmissionExplainer
from medcam.service.submissions.submission import EXPLAIN
from medcam.service.workers import films_side_by_side
from medcam.store import FairClaims, Job

LEASE_SECONDS = 15.0
"""What a worker that was killed was doing is taken up by another one after so long."""
SWEEP_SECONDS = 600.0
_POLICY = RetryPolicy(attempts=3, first=1.0, longest=60.0, losses=50)
"""A film that kills workers is put aside by itself, and what kills three before they begin a film is given up
(`medcam.service.submissions.deaths`): the losses are a bound for a submission with many such films."""
_LOG = logging.getLogger("medcam.work")


@dataclass(frozen=True, slots=True)
class WorkOptions:
    """How a worker works.

    Args:
        store: Folder or URL of the store; None for the one in the user's data folder.
        threads: Threads that read, prepare and write.
        limits: Of submissions: how long they stay.
        together: Submissions that are worked on at the same time; their films share forward passes.
        engine: What computes the maps, see `medcam.load_model`.
    """

    store: str | None = None
    threads: int = 1
    limits: SubmissionLimits = field(default_factory=SubmissionLimits)
    together: int = TOGETHER
    engine: str = AUTO

    def __post_init__(self) -> None:
        parse_engine(self.engine)


def run_worker(options: WorkOptions, stop: threading.Event, ready: Callable[[], None] = lambda: None) -> None:
    """Works until told to stop; a submission at hand is left at the next film and taken up by whoever works next.

    Args:
        options: How.
        stop: Set from outside, such as by a signal.
        ready: Called when it begins to look for work.

    Raises:
        UsageError: There is no such store.
        StoreError: The database cannot be opened.
        ReadersError: No process that reads files can be started.
    """
    shipped_atlas()  # a damaged installation stops the worker here instead of failing every submission
    with opened_store(options.store, make=False) as opened, ReaderPool(options.threads) as readers:
        box = SubmissionBox.of(opened.address, opened.jobs, options.limits)
        explainer = SubmissionExplainer(
            box, LoadedModels(_loader(options)), readers, options.threads, Security(headers=headers_from_environment())
        )
        turns = FairTurns(FairClaims(opened.store))
        workers = [_worker(opened, explainer, turns, place) for place in range(options.together)]
        threads = [threading.Thread(target=_sweep, args=(box, stop), name="medcam-sweep", daemon=True)]
        threads += [
            threading.Thread(target=worker.run, args=(stop,), name=f"medcam-work-{place}", daemon=True)
            for place, worker in enumerate(workers)
        ]
        with films_side_by_side():
            for thread in threads:
                thread.start()
            ready()
            _LOG.info("working")
            for thread in threads:
                thread.join()
        _LOG.info("stopped")


def _loader(options: WorkOptions) -> Callable[[str], Classifier]:
    def load(name: str) -> Classifier:
        return BatchingClassifier(load_model(name, options.engine), others=lambda: options.together)

    return load


def _worker(opened: OpenedStore, explainer: SubmissionExplainer, turns: FairTurns, place: int) -> Worker:
    owner = f"work {platform.node()} {os.getpid()} {place}"
    tasks = {EXPLAIN: Task(explainer, _POLICY)}
    return Worker(opened.jobs, tasks, owner, lease=LEASE_SECONDS, poll=0.2, ended=_ended, turns=turns)


def _ended(job: Job, how: str) -> None:
    _LOG.info("job ended", extra={"kind": job.kind, "job": job.id, "how": how})


def _sweep(box: SubmissionBox, stop: threading.Event) -> None:
    while True:
        try:
            asked, gone = box.missed(), box.sweep()
            if asked or gone:
                _LOG.info("submissions swept", extra={"asked_again": asked, "let_go": gone})
        except (MedcamError, OSError) as error:
            _LOG.warning("sweep failed", extra={"code": getattr(error, "code", type(error).__name__)})
        if stop.wait(SWEEP_SECONDS):
            return
