"""Which studies are to be read, in which order: asked of the database, page by page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, and_, func, or_, select, true
from sqlalchemy.orm import Session

from medcam.core.reader import Reader
from medcam.core.worklist import (
    MOST_COUNTED,
    Order,
    Progress,
    ReadingState,
    WorklistLine,
    WorklistPage,
    WorklistQuery,
)
from medcam.store.engine import Store
from medcam.store.film_rows import study_of
from medcam.store.schema import AssignmentRow, ExplanationRow, FindingRow, ReadingRow, StudyRow


class Worklist:
    """The worklist of a store. All methods raise `StoreError` where the database cannot be used.

    Args:
        store: The database.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def page(self, query: WorklistQuery, reader: Reader, now: float) -> WorklistPage:
        """One page of what a reader may read.

        Args:
            query: What is asked for.
            reader: Who asks.
            now: Seconds since 1970 UTC.
        """
        matching = _matching(query, reader)
        start = (query.page - 1) * query.size
        with self._store.read() as session:
            if query.text.strip():
                found = _searched(session, matching, query, now)
                if found is not None:
                    return found
            total = _count(session, matching)
            if query.order is not Order.URGENCY or query.longest_wait is None:
                rows = _rows(session, matching, _ORDERS[query.order], start, query.size)
                return WorklistPage(tuple(_line(row, reading, overdue=False) for row, reading in rows), total)
            waiting = and_(StudyRow.readers_done == 0, StudyRow.received < now - query.longest_wait)
            overdue = _count(session, matching.where(waiting))
            first = _rows(session, matching.where(waiting), _ORDERS[Order.RECEIVED], start, query.size)
            left = query.size - len(first)
            rest = matching.where(or_(StudyRow.readers_done > 0, StudyRow.received >= now - query.longest_wait))
            others = _rows(session, rest, _ORDERS[Order.URGENCY], max(start - overdue, 0), left) if left else []
            lines = [_line(row, reading, overdue=True) for row, reading in first]
            lines += [_line(row, reading, overdue=False) for row, reading in others]
            return WorklistPage(tuple(lines), total)

    def progress(self, reader: Reader) -> Progress:
        """How far a reader is with all that they may read."""
        studies = select(func.count()).select_from(StudyRow).where(_allowed(reader))
        mine = select(func.count(), func.count(ReadingRow.done)).where(ReadingRow.reader_id == reader.id)
        with self._store.read() as session:
            begun, done = session.execute(mine).one()
            return Progress(session.scalar(studies) or 0, begun, done)

    def findings(self) -> list[str]:
        """Names of the findings that explanations hold, in alphabetical order."""
        newest = select(ExplanationRow.id).order_by(ExplanationRow.created.desc()).limit(200).subquery()
        query = select(FindingRow.name).where(FindingRow.explanation_id.in_(select(newest.c.id))).distinct()
        with self._store.read() as session:
            return sorted(session.scalars(query))


Selected: TypeAlias = Any
"""SQLAlchemy's `Select` of a study and a reading; its type parameters differ between the releases that are allowed."""

_ORDERS: dict[Order, tuple[ColumnElement[Any], ...]] = {
    Order.URGENCY: (StudyRow.rank.asc(), StudyRow.id.asc()),
    Order.RECEIVED: (StudyRow.received.asc(), StudyRow.id.asc()),
    Order.DATE: (StudyRow.study_date.desc(), StudyRow.id.desc()),
}


def _matching(query: WorklistQuery, reader: Reader) -> Selected:
    mine = and_(ReadingRow.study_id == StudyRow.id, ReadingRow.reader_id == reader.id)
    selected: Selected = select(StudyRow, ReadingRow).outerjoin(ReadingRow, mine).where(_allowed(reader))
    conditions = {
        ReadingState.ANY: true(),
        ReadingState.UNREAD: ReadingRow.begun.is_(None),
        ReadingState.BEGUN: and_(ReadingRow.begun.is_not(None), ReadingRow.done.is_(None)),
        ReadingState.DONE: ReadingRow.done.is_not(None),
    }
    selected = selected.where(conditions[query.state])
    if query.text.strip():
        selected = selected.where(StudyRow.search.contains(query.text.strip().upper(), autoescape=True))
    if query.finding:
        selected = selected.where(StudyRow.finding == query.finding)
    if query.flagged is not None:
        selected = selected.where(StudyRow.flagged.is_(query.flagged))
    if query.since:
        selected = selected.where(StudyRow.study_date >= query.since)
    if query.until:
        selected = selected.where(StudyRow.study_date <= query.until, StudyRow.study_date != "")
    return selected


def _searched(session: Session, matching: Selected, query: WorklistQuery, now: float) -> WorklistPage | None:
    """A page of a search by one look through the texts; None where so much matches that the database should sort."""
    columns = (StudyRow.id, StudyRow.rank, StudyRow.received, StudyRow.study_date, StudyRow.readers_done)
    keys = session.execute(matching.with_only_columns(*columns).limit(MOST_COUNTED)).all()
    if len(keys) == MOST_COUNTED:
        return None
    urgent = query.order is Order.URGENCY and query.longest_wait is not None
    before = now - (query.longest_wait or 0.0)
    late = {key.id for key in keys if urgent and key.readers_done == 0 and key.received < before}
    orders: dict[Order, Callable[[Any], Any]] = {
        Order.URGENCY: lambda key: (0, key.received, key.id) if key.id in late else (1, key.rank, key.id),
        Order.RECEIVED: lambda key: (key.received, key.id),
        Order.DATE: lambda key: (key.study_date, key.id),
    }
    keys = sorted(keys, key=orders[query.order], reverse=query.order is Order.DATE)
    start = (query.page - 1) * query.size
    wanted = [key.id for key in keys[start : start + query.size]]
    rows = {row[0].id: row for row in session.execute(matching.where(StudyRow.id.in_(wanted)))} if wanted else {}
    lines = tuple(_line(rows[one][0], rows[one][1], overdue=one in late) for one in wanted)
    return WorklistPage(lines, len(keys))


def _allowed(reader: Reader) -> ColumnElement[bool]:
    if reader.everything:
        return true()
    return StudyRow.id.in_(select(AssignmentRow.study_id).where(AssignmentRow.reader_id == reader.id))


def _count(session: Session, selected: Selected) -> int:
    ids = selected.with_only_columns(StudyRow.id).limit(MOST_COUNTED).subquery()
    return session.scalar(select(func.count()).select_from(ids)) or 0


def _rows(
    session: Session, selected: Selected, order: tuple[ColumnElement[Any], ...], start: int, size: int
) -> list[tuple[StudyRow, ReadingRow | None]]:
    found = session.execute(selected.order_by(*order).offset(start).limit(size))
    return [(row[0], row[1]) for row in found]


def _line(row: StudyRow, reading: ReadingRow | None, *, overdue: bool) -> WorklistLine:
    if reading is None:
        state = ReadingState.UNREAD
    else:
        state = ReadingState.BEGUN if reading.done is None else ReadingState.DONE
    return WorklistLine(
        study=study_of(row),
        films=row.films,
        finding=row.finding,
        probability=row.probability,
        rank=row.rank,
        flagged=row.flagged,
        received=row.received,
        readers_done=row.readers_done,
        state=state,
        overdue=overdue,
    )
