"""Claims in turns: whose jobs were begun the longest ago comes first, however many jobs anybody has.

A job over which a worker died waits for a turn of its own: whoever takes it has nothing else at hand that could die
with it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

from sqlalchemy import ColumnElement, and_, func, or_, select

from medcam.store.engine import Store
from medcam.store.errors import ConflictError
from medcam.store.job_records import Job, JobState
from medcam.store.jobs import take_row
from medcam.store.schema import JobRow, JobTurnRow


class FairClaims:
    """Claims jobs of a store by their clients' turns. All methods raise `StoreError` where it cannot be used.

    Args:
        store: The database.
        clock: Seconds since 1970 UTC.
    """

    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        self._store, self._clock = store, clock

    def claim(self, kinds: Collection[str], owner: str, lease: float, *, lost: bool = False) -> Job | None:
        """Takes the oldest due job of the client whose turn it is; a client without an earlier turn comes first.

        Args:
            kinds: What the claimer can do.
            owner: Who claims.
            lease: Seconds after which somebody else may claim it, unless it is renewed or ended.
            lost: Whether jobs are taken that a worker died over, or else those alone that none did.

        Returns:
            The job, or None where none is due.
        """
        try:
            return self._claim(kinds, owner, lease, lost)
        except ConflictError:  # PostgreSQL: another worker noted the first turn of this client at the same moment
            return self._claim(kinds, owner, lease, lost)

    def any_lost(self, kinds: Collection[str]) -> bool:
        """Whether a job is due that a worker died over."""
        query = select(JobRow.id).where(JobRow.kind.in_(kinds), _due(self._clock(), lost=True)).limit(1)
        with self._store.read() as session:
            return session.scalar(query) is not None

    def _claim(self, kinds: Collection[str], owner: str, lease: float, lost: bool) -> Job | None:
        now = self._clock()
        turn = func.coalesce(JobTurnRow.served, 0)
        query = (
            select(JobRow)
            .outerjoin(JobTurnRow, JobTurnRow.client == JobRow.client)
            .where(JobRow.kind.in_(kinds), _due(now, lost=lost))
            .order_by(turn, JobRow.not_before, JobRow.id)
            .limit(1)
        )
        with self._store.begin() as session:
            row = session.scalar(query.with_for_update(skip_locked=True, of=JobRow))
            if row is None:
                return None
            latest = session.scalar(select(func.max(JobTurnRow.served))) or 0
            session.merge(JobTurnRow(client=row.client, served=latest + 1))
            return take_row(row, owner, now, lease)


def _due(now: float, *, lost: bool) -> ColumnElement[bool]:
    waiting = and_(JobRow.state == JobState.WAITING, JobRow.not_before <= now)
    if not lost:
        return and_(waiting, JobRow.losses == 0)
    return or_(and_(waiting, JobRow.losses > 0), and_(JobRow.state == JobState.RUNNING, JobRow.lease_until < now))
