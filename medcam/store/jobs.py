"""The one queue of jobs that everything that works in the background shares.

A job waits until it is due, is claimed under a lease, and ends as done or as failed. A worker that dies gives its job
back by letting the lease run out. There is one unfinished job per key: asking again for what waits already postpones
it, and asking for what is being worked on has it done once more afterwards.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

from sqlalchemy import and_, delete, func, or_, select
from sqlalchemy.orm import Session

from medcam.core.errors import InvalidValueError
from medcam.store.engine import Store
from medcam.store.errors import ConflictError
from medcam.store.job_records import Job, JobState
from medcam.store.schema import JobRow

CLIENT_LENGTH = 200
_LONGEST_KEY = 200

_UNFINISHED = (JobState.WAITING, JobState.RUNNING)


class JobQueue:
    """The jobs of a store. Every method is one transaction, on the disk when it returns.

    Args:
        store: The database.
        clock: Seconds since 1970 UTC.

    All methods raise `StoreError` where the database cannot be used.
    """

    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        self._store, self._clock = store, clock

    def enqueue(
        self,
        kind: str,
        key: str,
        payload: Mapping[str, Any],
        *,
        delay: float = 0.0,
        once: bool = False,
        client: str = "",
    ) -> bool:
        """Asks for a job.

        Args:
            kind: What is to be done.
            key: What it is about, 1 to 200 characters. Where a job of this key waits, it is postponed to now plus
                `delay`; where one runs, it waits again when it ends.
            payload: JSON values; replaces that of an unfinished job.
            delay: Seconds until it is due.
            once: Whether to leave it at an earlier job of this key, unfinished, done or failed.
            client: For whom it is; see `medcam.store.fair_claims`.

        Returns:
            Whether there was no job of this key that stands for the request.
        """
        if not 1 <= len(key) <= _LONGEST_KEY:
            raise InvalidValueError(f"a job's key has 1 to {_LONGEST_KEY} characters, not {len(key)}")
        try:
            return self._enqueue(kind, key, payload, delay, once, client)
        except ConflictError:  # PostgreSQL: somebody else asked for it at the same moment, so it is there now
            return self._enqueue(kind, key, payload, delay, once, client)

    def _enqueue(self, kind: str, key: str, payload: Mapping[str, Any], delay: float, once: bool, client: str) -> bool:
        now = self._clock()
        unfinished = select(JobRow).where(JobRow.key == key, JobRow.state.in_(_UNFINISHED))
        with self._store.begin() as session:
            if once and session.scalar(select(JobRow.id).where(JobRow.key == key).limit(1)) is not None:
                return False
            row = session.scalar(unfinished.with_for_update())
            if row is None:
                session.add(_new_row(kind, key, payload, now, delay, client))
                return True
            row.payload, row.not_before, row.updated = dict(payload), now + delay, now
            row.wanted += 1
            row.failures = row.losses = 0
            return False

    def claim(self, kinds: Collection[str], owner: str, lease: float) -> Job | None:
        """Takes the job that has been due the longest.

        Args:
            kinds: What the claimer can do.
            owner: Who claims.
            lease: Seconds after which somebody else may claim it, unless it is renewed or ended.

        Returns:
            The job, or None where none is due.
        """
        now = self._clock()
        due = or_(
            and_(JobRow.state == JobState.WAITING, JobRow.not_before <= now),
            and_(JobRow.state == JobState.RUNNING, JobRow.lease_until < now),
        )
        query = select(JobRow).where(JobRow.kind.in_(kinds), due).order_by(JobRow.not_before, JobRow.id).limit(1)
        with self._store.begin() as session:
            row = session.scalar(query.with_for_update(skip_locked=True))
            if row is None:
                return None
            return take_row(row, owner, now, lease)

    def renew(self, job: Job, lease: float) -> bool:
        """Prolongs a lease to now plus `lease` seconds; False where it was lost to another claim."""
        with self._store.begin() as session:
            row = _held(session, job)
            if row is not None:
                row.lease_until = self._clock() + lease
            return row is not None

    def finish(self, job: Job) -> bool:
        """Ends a job as done; where it was asked for again meanwhile, it waits again. False where the lease was lost.

        A job that waits again is due when the last request for it said.
        """
        with self._store.begin() as session:
            row = _held(session, job)
            if row is None:
                return False
            again = row.wanted > job.wanted
            _let_go(row, JobState.WAITING if again else JobState.DONE, self._clock())
            row.error_code = row.error_message = None
            row.failures = row.losses = 0
            return True

    def retry(self, job: Job, code: str, message: str, delay: float) -> bool:
        """Puts a failed job back, due after `delay` seconds. False where the lease was lost.

        Args:
            job: As claimed.
            code: Of the error.
            message: Of the error, without patient data.
            delay: Seconds.
        """
        with self._store.begin() as session:
            row = _held(session, job)
            if row is None:
                return False
            now = self._clock()
            _let_go(row, JobState.WAITING, now)
            row.failures += 1
            row.error_code, row.error_message = code, message
            row.not_before = now + delay
            return True

    def give_back(self, job: Job) -> bool:
        """Puts a job back untouched, due at once, as a worker does that is told to stop."""
        with self._store.begin() as session:
            row = _held(session, job)
            if row is not None:
                _let_go(row, JobState.WAITING, self._clock())
            return row is not None

    def bury(self, job: Job, code: str, message: str) -> bool:
        """Ends a job as failed. False where the lease was lost; it waits again where it was asked for meanwhile."""
        with self._store.begin() as session:
            row = _held(session, job)
            if row is None:
                return False
            again = row.wanted > job.wanted
            _let_go(row, JobState.WAITING if again else JobState.FAILED, self._clock())
            row.failures = 0 if again else row.failures + 1
            row.error_code, row.error_message = code, message
            return True

    def release(self, owner: str) -> int:
        """Gives back what an earlier life of `owner` had claimed; the caller knows that it is over. How many."""
        held = select(JobRow).where(JobRow.state == JobState.RUNNING, JobRow.lease_owner == owner)
        with self._store.begin() as session:
            rows = list(session.scalars(held.with_for_update()))
            for row in rows:
                _let_go(row, JobState.WAITING, self._clock())
                row.losses += 1
            return len(rows)

    def find(self, key: str) -> Job | None:
        """The last job of a key; None where it was never asked for, or is forgotten."""
        query = select(JobRow).where(JobRow.key == key).order_by(JobRow.id.desc()).limit(1)
        with self._store.read() as session:
            row = session.scalar(query)
            return None if row is None else job_of(row)

    def find_all(self, keys: Collection[str]) -> dict[str, Job]:
        """The last job of each key that was ever asked for, by one question for all of them."""
        query = select(JobRow).where(JobRow.key.in_(keys)).order_by(JobRow.id)
        with self._store.read() as session:
            return {row.key: job_of(row) for row in session.scalars(query)}

    def failed(self, kind: str) -> list[Job]:
        """The dead letters of a kind, oldest first."""
        query = select(JobRow).where(JobRow.kind == kind, JobRow.state == JobState.FAILED).order_by(JobRow.id)
        with self._store.begin() as session:
            return [job_of(row) for row in session.scalars(query)]

    def revive(self, job: Job) -> bool:
        """Lets a failed job wait again, due at once, its failures forgotten.

        Returns:
            False where it is no longer failed, or another job of its key is under way and stands for it.
        """
        with self._store.begin() as session:
            row = session.scalar(
                select(JobRow).where(JobRow.id == job.id, JobRow.state == JobState.FAILED).with_for_update()
            )
            if row is None:
                return False
            under_way = select(JobRow.id).where(JobRow.key == row.key, JobRow.state.in_(_UNFINISHED)).limit(1)
            if session.scalar(under_way) is not None:
                session.delete(row)
                return False
            now = self._clock()
            _let_go(row, JobState.WAITING, now)
            row.failures, row.losses, row.not_before = 0, 0, now
            return True

    def counts(self) -> dict[tuple[str, JobState], int]:
        """How many jobs there are by kind and state; those that are none are left out."""
        query = select(JobRow.kind, JobRow.state, func.count()).group_by(JobRow.kind, JobRow.state)
        with self._store.begin() as session:
            return {(kind, JobState(state)): number for kind, state, number in session.execute(query)}

    def open_keys(self, prefix: str) -> set[str]:
        """Keys of jobs that begin with a prefix and are not done: waiting, running or failed."""
        query = select(JobRow.key).where(JobRow.state != JobState.DONE, JobRow.key.startswith(prefix, autoescape=True))
        with self._store.begin() as session:
            return set(session.scalars(query))

    def purge(self, kind: str, before: float) -> int:
        """Forgets jobs of a kind that were done before a time (seconds since 1970 UTC). How many."""
        done = and_(JobRow.kind == kind, JobRow.state == JobState.DONE, JobRow.updated < before)
        with self._store.begin() as session:
            return len(session.scalars(delete(JobRow).where(done).returning(JobRow.id)).all())


def _held(session: Session, job: Job) -> JobRow | None:
    """The row of a claimed job; None where the lease has passed to a later claim."""
    row: JobRow | None = session.scalar(select(JobRow).where(JobRow.id == job.id).with_for_update())
    if row is None or row.state != JobState.RUNNING or row.attempts != job.attempts:
        return None
    return row


def _let_go(row: JobRow, state: JobState, now: float) -> None:
    row.state, row.updated = state, now
    row.lease_owner = row.lease_until = None


def _new_row(kind: str, key: str, payload: Mapping[str, Any], now: float, delay: float, client: str) -> JobRow:
    return JobRow(
        kind=kind,
        key=key,
        payload=dict(payload),
        state=JobState.WAITING,
        wanted=1,
        attempts=0,
        failures=0,
        losses=0,
        not_before=now + delay,
        created=now,
        updated=now,
        client=client[:CLIENT_LENGTH],
    )


def take_row(row: JobRow, owner: str, now: float, lease: float) -> Job:
    """Claims a row; a lease that ran out is a loss."""
    row.losses += row.state == JobState.RUNNING
    row.state, row.updated = JobState.RUNNING, now
    row.attempts += 1
    row.lease_owner, row.lease_until = owner, now + lease
    return job_of(row)


def job_of(row: JobRow) -> Job:
    """A row as a frozen value."""
    return Job(
        id=row.id,
        kind=row.kind,
        key=row.key,
        payload=dict(row.payload),
        state=JobState(row.state),
        wanted=row.wanted,
        attempts=row.attempts,
        failures=row.failures,
        losses=row.losses,
        error_code=row.error_code or "",
        error_message=row.error_message or "",
        created=row.created,
        updated=row.updated,
    )
