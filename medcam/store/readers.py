"""Who may sign in, and which studies are theirs. Every change is noted in the audit trail, in the same transaction."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

from sqlalchemy import and_, delete, or_, select
from sqlalchemy.orm import Session

from medcam.core.errors import UsageError
from medcam.core.reader import Reader, Role
from medcam.store.engine import Store
from medcam.store.errors import ConflictError
from medcam.store.schema import AssignmentRow, ReaderRow, StudyRow
from medcam.store.trail import AuditDraft, AuditTrail

_SOME = 500
"""Ids in one query: SQLite takes a limited number of parameters."""


class ReaderStore:
    """The readers of a store. All methods raise `StoreError` where the database cannot be used.

    Args:
        store: The database.
        trail: Where changes are noted.
        clock: Seconds since 1970 UTC.
    """

    def __init__(self, store: Store, trail: AuditTrail, clock: Callable[[], float] = time.time) -> None:
        self._store, self._trail, self._clock = store, trail, clock

    def find(self, issuer: str, subject: str) -> Reader | None:
        """The reader whom an issuer calls so; None where there is none. They may be inactive."""
        query = select(ReaderRow).where(ReaderRow.issuer == issuer, ReaderRow.subject == subject)

        def answer(session: Session) -> Reader | None:
            row = session.scalar(query)
            return None if row is None else _reader(row)

        return self._store.ask(("reader", issuer, subject), answer)

    def all(self) -> list[Reader]:
        """All readers, by name."""
        with self._store.read() as session:
            return [_reader(row) for row in session.scalars(select(ReaderRow).order_by(ReaderRow.name, ReaderRow.id))]

    def names(self, ids: Collection[int]) -> dict[int, str]:
        """What some readers are called, by their number."""
        wanted = tuple(sorted(set(ids)))
        query = select(ReaderRow.id, ReaderRow.name).where(ReaderRow.id.in_(wanted))

        def answer(session: Session) -> dict[int, str]:
            return {row.id: row.name for row in session.execute(query)}

        return dict(self._store.ask(("reader-names", wanted), answer)) if wanted else {}

    def set(
        self,
        issuer: str,
        subject: str,
        *,
        name: str,
        roles: Collection[Role],
        everything: bool = False,
        active: bool = True,
        by: str = "medcam",
    ) -> Reader:
        """Makes a reader, or changes one.

        Args:
            issuer: Who vouches for them.
            subject: What the issuer calls them.
            name: What they are called.
            roles: At least one.
            everything: Whether they may read every study.
            active: Whether they may sign in.
            by: Who decided it.

        Returns:
            The reader as they are now.
        """
        wanted = Reader(0, issuer, subject, name, frozenset(roles), everything, active)
        try:
            return self._set(wanted, by)
        except ConflictError:  # PostgreSQL: somebody else made the same reader at the same moment
            return self._set(wanted, by)

    def _set(self, wanted: Reader, by: str) -> Reader:
        query = select(ReaderRow).where(ReaderRow.issuer == wanted.issuer, ReaderRow.subject == wanted.subject)
        with self._store.begin() as session:
            row = session.scalar(query.with_for_update())
            before = None if row is None else _reader(row)
            if row is None:
                row = ReaderRow(issuer=wanted.issuer, subject=wanted.subject, created=self._clock())
                session.add(row)
            row.name, row.roles = wanted.name[:200], " ".join(sorted(wanted.roles))
            row.everything, row.active = wanted.everything, wanted.active
            session.flush()
            reader = _reader(row)
            if reader != before:
                self._trail.add(session, _changed(reader, by))
            return reader

    def assign(self, reader: Reader, studies: Collection[str], *, by: str = "medcam") -> int:
        """Asks a reader to read studies.

        Returns:
            How many of them are new to the reader.

        Raises:
            UsageError: The store has no study of one of these ids (code `no-such-study`).
        """
        ids = sorted(set(studies))
        with self._store.begin() as session:
            _refuse_unknown(session, ids)
            new = [one for one in ids if session.get(AssignmentRow, (reader.id, one)) is None]
            now = self._clock()
            session.add_all(AssignmentRow(reader_id=reader.id, study_id=one, created=now) for one in new)
            if new:
                body = {"to": reader.label, "studies": new}
                self._trail.add(session, AuditDraft("studies-assigned", by, body=body))
            return len(new)

    def withdraw(self, reader: Reader, studies: Collection[str], *, by: str = "medcam") -> int:
        """Takes studies back from a reader; what they answered is kept. How many they had."""
        ids = sorted(set(studies))
        with self._store.begin() as session:
            gone = [one for one in ids if session.get(AssignmentRow, (reader.id, one)) is not None]
            for start in range(0, len(gone), _SOME):
                some = gone[start : start + _SOME]
                session.execute(
                    delete(AssignmentRow).where(AssignmentRow.reader_id == reader.id, AssignmentRow.study_id.in_(some))
                )
            if gone:
                body = {"from": reader.label, "studies": gone}
                self._trail.add(session, AuditDraft("studies-withdrawn", by, body=body))
            return len(gone)

    def may_read(self, reader: Reader, study_id: str) -> bool:
        """Whether a study is there and the reader may read it, as the store has both now."""
        return study_id in self.may_read_of(reader, [study_id])

    def may_read_of(self, reader: Reader, study_ids: Collection[str]) -> frozenset[str]:
        """Which of some studies are there and may be read by a reader, as the store has both now."""
        ids = tuple(sorted(set(study_ids)))
        if not ids:
            return frozenset()
        mine = and_(AssignmentRow.reader_id == ReaderRow.id, AssignmentRow.study_id == StudyRow.id)
        # One question, since pages ask it at every look.
        query = (
            select(StudyRow.id)
            .join(ReaderRow, ReaderRow.id == reader.id)
            .outerjoin(AssignmentRow, mine)
            .where(StudyRow.id.in_(ids), ReaderRow.active.is_(True))
            .where(or_(ReaderRow.everything.is_(True), AssignmentRow.study_id.is_not(None)))
        )
        return self._store.ask(("may-read", reader.id, ids), lambda session: frozenset(session.scalars(query)))


def _refuse_unknown(session: Session, ids: list[str]) -> None:
    known: set[str] = set()
    for start in range(0, len(ids), _SOME):
        known |= set(session.scalars(select(StudyRow.id).where(StudyRow.id.in_(ids[start : start + _SOME]))))
    unknown = [one for one in ids if one not in known]
    if unknown:
        raise UsageError(
            f"the store has no study {unknown[0]}",
            code="no-such-study",
            next_step="The page `Worklist` shows the ids of studies.",
        )


def _changed(reader: Reader, by: str) -> AuditDraft:
    body = {
        "changed": reader.label,
        "name": reader.name,
        "roles": sorted(reader.roles),
        "everything": reader.everything,
        "active": reader.active,
    }
    return AuditDraft("reader-changed", by, body=body)


def _reader(row: ReaderRow) -> Reader:
    roles = frozenset(Role(word) for word in row.roles.split())
    return Reader(row.id, row.issuer, row.subject, row.name, roles, row.everything, row.active)
