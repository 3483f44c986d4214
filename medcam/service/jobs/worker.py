"""Does the jobs of the queue: claims one, holds its lease while it is done, and ends it or puts it back."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from medcam.core.errors import MedcamError
from medcam.service.jobs.retrying import RetryPolicy
from medcam.store import Job, JobQueue

LEASE_SECONDS = 60.0
POLL_SECONDS = 0.5
TOGETHER = 4
"""Jobs that a process works on at the same time, unless it is told otherwise."""
INTERNAL_ERROR = "internal-error"
JOB_ABANDONED = "job-abandoned"

_LOG = logging.getLogger("medcam.jobs")


class Interrupted(Exception):  # noqa: N818  no error: the job goes back as it was
    """Raised by a handler that leaves its job because the worker is to stop, or has lost its lease."""


Handler = Callable[[Job, Callable[[], bool]], None]
"""Does a job. Doing it twice must be harmless: a worker may die just before it says that it is done. The second
argument tells whether the work is to be left; a handler that can leave it for later raises `Interrupted` then."""


def _nothing(_job: Job, _error: MedcamError) -> None:
    """No dead letter."""


@dataclass(frozen=True, slots=True)
class Task:
    """How jobs of one kind are done.

    Args:
        handler: Does one.
        policy: When it is tried again.
        bury: Called before a job is given up, such as to keep its dead letter; may be called twice for one job.
    """

    handler: Handler
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    bury: Callable[[Job, MedcamError], None] = _nothing


class Turns(Protocol):
    """How a worker comes by jobs."""

    def claimed(self, kinds: Collection[str], owner: str, lease: float) -> AbstractContextManager[Job | None]:
        """A job for as long as the block lasts; None where there is none for this worker now."""
        ...


class Worker:
    """One thread's worth of work. Several workers, in one process or many, share a queue.

    Args:
        queue: The jobs.
        tasks: How to do the kinds that it does, by kind.
        owner: Its name in leases. What an earlier worker of this name left is given back at once when this one starts:
            no two may live at a time.
        lease: Seconds of a lease, renewed at a third of it.
        poll: Seconds between looks at an empty queue.
        ended: Called with each job and how it ended: "done", "retried", "failed" or "interrupted".
        turns: How it comes by jobs; by default it takes the one that has been due the longest.
    """

    def __init__(
        self,
        queue: JobQueue,
        tasks: Mapping[str, Task],
        owner: str,
        *,
        lease: float = LEASE_SECONDS,
        poll: float = POLL_SECONDS,
        ended: Callable[[Job, str], None] = lambda _job, _how: None,
        turns: Turns | None = None,
    ) -> None:
        self._queue, self._tasks, self._owner = queue, dict(tasks), owner
        self._lease, self._poll, self._ended = lease, poll, ended
        self._turns = turns or _LongestDue(queue)

    def run(self, stop: threading.Event) -> None:
        """Works until told to stop; a database that fails is tried again. Returns when the job at hand has ended."""
        released = False
        while not stop.is_set():
            try:
                if not released:
                    self._queue.release(self._owner)
                    released = True
                worked = self.step(stop)
            except MedcamError as error:
                _LOG.error("queue unavailable", extra={"code": error.code})
                worked = False
            if not worked:
                stop.wait(self._poll)

    def step(self, stop: threading.Event) -> bool:
        """Does the job whose turn it is; False where none is due.

        Raises:
            StoreError: The database cannot be used. The job is claimable again when its lease ends.
        """
        with self._turns.claimed(list(self._tasks), self._owner, self._lease) as job:
            if job is not None:
                self._do(job, stop)
        return job is not None

    def _do(self, job: Job, stop: threading.Event) -> None:
        task = self._tasks[job.kind]
        if job.losses > task.policy.losses:
            self._give_up(job, task, abandoned())
            return
        with self._holding(job, stop) as leave:
            try:
                task.handler(job, leave)
            except Interrupted:
                self._queue.give_back(job)
                self._ended(job, "interrupted")
            except Exception as error:  # noqa: BLE001 - one broken job never stops the rest
                self._failed(job, task, error)
            else:
                self._queue.finish(job)
                self._ended(job, "done")

    def _failed(self, job: Job, task: Task, error: Exception) -> None:
        told = _told(error)
        failures = job.failures + 1
        if task.policy.gives_up(error, failures):
            self._give_up(job, task, told)
            return
        delay = task.policy.delay(failures)
        _LOG.warning(
            "job failed, to be tried again",
            extra={"kind": job.kind, "job": job.id, "code": told.code, "failures": failures, "seconds": round(delay)},
        )
        self._queue.retry(job, told.code, told.message, delay)
        self._ended(job, "retried")

    def _give_up(self, job: Job, task: Task, error: MedcamError) -> None:
        _LOG.error("job given up", extra={"kind": job.kind, "job": job.id, "code": error.code})
        try:
            task.bury(job, error)
        except Exception as trouble:  # noqa: BLE001 - what has no dead letter yet is not given up
            _LOG.error("dead letter not kept", extra={"job": job.id, "code": _told(trouble).code})
            self._queue.retry(job, error.code, error.message, task.policy.longest)
            return
        self._queue.bury(job, error.code, error.message)
        self._ended(job, "failed")

    @contextmanager
    def _holding(self, job: Job, stop: threading.Event) -> Iterator[Callable[[], bool]]:
        """Renews the lease beside the work. Yields whether the work is to be left: told to stop, or lease lost."""
        lost, over = threading.Event(), threading.Event()

        def renew() -> None:
            while not over.wait(self._lease / 3):
                try:
                    if not self._queue.renew(job, self._lease):
                        lost.set()
                        return
                except MedcamError as error:
                    _LOG.warning("lease not renewed", extra={"job": job.id, "code": error.code})

        thread = threading.Thread(target=renew, name=f"medcam-lease-{job.id}", daemon=True)
        thread.start()
        try:
            yield lambda: stop.is_set() or lost.is_set()
        finally:
            over.set()
            thread.join()


class _LongestDue:
    def __init__(self, queue: JobQueue) -> None:
        self._queue = queue

    @contextmanager
    def claimed(self, kinds: Collection[str], owner: str, lease: float) -> Iterator[Job | None]:
        yield self._queue.claim(kinds, owner, lease)


def _told(error: Exception) -> MedcamError:
    """The error as it may be told. Of an unexpected one its type alone: its text may quote patient data."""
    if isinstance(error, MedcamError):
        return error
    return MedcamError(
        f"medcam failed on this job ({type(error).__name__})",
        code=INTERNAL_ERROR,
        next_step="Report it to the project; never send patient data.",
    )


def abandoned() -> MedcamError:
    """The error of a job that ends the processes that do it."""
    return MedcamError(
        "every process that began this job died over it",
        code=JOB_ABANDONED,
        next_step="Look in the system's log for what ended them, such as a want of memory; then let it be tried again.",
    )
