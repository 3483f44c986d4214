"""Which studies are to be read, in which order: asked of the database, page by page."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, and_, case, func, or_, select, text, true
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
from medcam.store.search_letters import found_by_letters


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
        urgent = query.order is Order.URGENCY and query.longest_wait is not None
        before = now - (query.longest_wait or 0.0) if urgent else None
        with self._store.read() as session:
            if self._store.dialect == "postgresql":
                session.execute(_PLANNED_ANEW)
            few = _few(session, _matching(query, reader), self._among(session, query, reader), query, before)
            return few or _many(session, _matching(query, reader, walked=True), query, before)

    def _among(self, session: Session, query: WorklistQuery, reader: Reader) -> Selected | None:
        """Ids of the studies among which those with the query's text are; PostgreSQL finds out by itself."""
        if self._store.dialect != "sqlite":
            return None
        # Where more have it they are soon met by reading study after study; but not by going through all readings.
        most = _MOST_LOOKED_UP if reader.everything and query.state is ReadingState.DONE else MOST_COUNTED
        return found_by_letters(session, _sought(query), most)

    def progress(self, reader: Reader) -> Progress:
        """How far a reader is with all that they may read."""
        studies = select(func.count()).select_from(StudyRow)
        if not reader.everything:
            studies = select(func.count()).select_from(AssignmentRow).where(AssignmentRow.reader_id == reader.id)
        begun, done = func.count(), func.count(ReadingRow.done)
        mine = select(studies.scalar_subquery(), begun, done).where(ReadingRow.reader_id == reader.id)
        with self._store.read() as session:
            return Progress(*session.execute(mine).one())

    def findings(self) -> list[str]:
        """Names of the findings that explanations hold, in alphabetical order."""
        newest = select(ExplanationRow.id).order_by(ExplanationRow.created.desc()).limit(200).subquery()
        query = select(FindingRow.name).where(FindingRow.explanation_id.in_(select(newest.c.id))).distinct()
        with self._store.read() as session:
            return sorted(session.scalars(query))


_PLANNED_ANEW = text("SET LOCAL plan_cache_mode = force_custom_plan")
"""One plan for every page, reader and text would fit none: PostgreSQL would take a page for a tenth of the table."""

_MOST_LOOKED_UP = 10_000
"""Studies with a text's letters that are looked up rather than all that a reader is done with."""

Selected: TypeAlias = Any
"""SQLAlchemy's `Select` of a study and a reading; its type parameters differ between the releases that are allowed."""

_ORDERS: dict[Order, tuple[ColumnElement[Any], ...]] = {
    Order.URGENCY: (StudyRow.rank.asc(), StudyRow.id.asc()),
    Order.RECEIVED: (StudyRow.received.asc(), StudyRow.id.asc()),
    Order.DATE: (StudyRow.study_date.desc(), StudyRow.id.desc()),
}


_INDEXES = {Order.URGENCY: "studies_rank", Order.RECEIVED: "studies_received", Order.DATE: "studies_date"}


def _narrowed(query: WorklistQuery) -> bool:
    """Whether another index than that of the order may be the better one."""
    return bool(query.finding or query.since or query.until or query.flagged is not None)


def _indexed(selected: Selected, index: str) -> Selected:
    # SQLite keeps no figures about its tables: it would rather sort all that matches than walk along an order.
    return selected.with_hint(StudyRow, f"INDEXED BY {index}", "sqlite")


def _sought(query: WorklistQuery) -> str:
    """A query's text as studies have it; empty for any."""
    return query.text.strip().upper()


def _matching(query: WorklistQuery, reader: Reader, *, walked: bool = False) -> Selected:
    """What matches; `walked` where the database is to go from study to study, and not from reading to study."""
    mine = and_(ReadingRow.study_id == StudyRow.id, ReadingRow.reader_id == reader.id)
    selected: Selected = select(StudyRow, ReadingRow).outerjoin(ReadingRow, mine).where(_allowed(reader))
    # A function hides from SQLite that the outer join could as well begin at the readings.
    done = func.coalesce(ReadingRow.done, -1.0) >= 0.0 if walked else ReadingRow.done.is_not(None)
    conditions = {
        ReadingState.ANY: true(),
        # Of the join's own columns, so that PostgreSQL sees what it is: studies without such a reading.
        ReadingState.UNREAD: ReadingRow.study_id.is_(None),
        ReadingState.BEGUN: and_(ReadingRow.study_id.is_not(None), ReadingRow.done.is_(None)),
        ReadingState.DONE: done,
    }
    selected = selected.where(conditions[query.state])
    if _sought(query):
        selected = selected.where(StudyRow.search.contains(_sought(query), autoescape=True))
    if query.finding:
        selected = selected.where(StudyRow.finding == query.finding)
    if query.flagged is not None:
        selected = selected.where(StudyRow.flagged.is_(query.flagged))
    if query.since:
        selected = selected.where(StudyRow.study_date >= query.since)
    if query.until:
        selected = selected.where(StudyRow.study_date <= query.until, StudyRow.study_date != "")
    return selected


def _few(
    session: Session, matching: Selected, among: Selected | None, query: WorklistQuery, before: float | None
) -> WorklistPage | None:
    """A page by one look at all that matches; None where so much does that it should not be sorted.

    Args:
        session: Reads.
        matching: What matches.
        among: Ids among which those of all that matches are; None where that is not known.
        query: What is asked for.
        before: What came earlier and was never read comes first; None for no such rule.
    """
    columns = (StudyRow.id, StudyRow.rank, StudyRow.received, StudyRow.study_date, StudyRow.readers_done)
    looked = matching if among is None else matching.where(StudyRow.id.in_(among))
    if not (_sought(query) or _narrowed(query)):
        # All that is asked is in this index; SQLite would take that of the ids, and then read each study too.
        looked = _indexed(looked, "studies_listed")
    keys = looked.with_only_columns(*columns).limit(MOST_COUNTED).subquery()
    # No study came before the beginning of time: no rule, no study that is late.
    waits = and_(keys.c.readers_done == 0, keys.c.received < (-math.inf if before is None else before))
    late = case((waits, 1), else_=0)
    orders: dict[Order, tuple[ColumnElement[Any], ...]] = {
        Order.URGENCY: (late.desc(), case((waits, keys.c.received), else_=keys.c.rank), keys.c.id),
        Order.RECEIVED: (keys.c.received, keys.c.id),
        Order.DATE: (keys.c.study_date.desc(), keys.c.id.desc()),
    }
    start = (query.page - 1) * query.size
    sorted_keys = select(keys.c.id, late.label("late"), func.count().over().label("total"))
    found = session.execute(sorted_keys.order_by(*orders[query.order]).offset(start).limit(query.size)).all()
    total = found[0].total if found else _count(session, looked) if start else 0
    if total >= MOST_COUNTED:
        return None
    overdue = {key.id: bool(key.late) for key in found}
    # Looked up by their ids alone: what matched is known, and need not be asked again.
    asked = matching.where(StudyRow.id.in_(overdue)) if found else None
    rows = {} if asked is None else {row[0].id: row for row in session.execute(asked)}
    lines = tuple(_line(rows[one][0], rows[one][1], overdue=is_late) for one, is_late in overdue.items())
    return WorklistPage(lines, total)


def _many(session: Session, matching: Selected, query: WorklistQuery, before: float | None) -> WorklistPage:
    """A page by walking along the order's index: where much matches, its lines are soon met. Arguments as `_few`."""
    start = (query.page - 1) * query.size
    total = MOST_COUNTED
    if before is None:
        rows = _rows(session, matching, query, start, query.size)
        return WorklistPage(tuple(_line(row, reading, overdue=False) for row, reading in rows), total)
    waiting = and_(StudyRow.readers_done == 0, StudyRow.received < before)
    overdue = 0 if query.state is ReadingState.DONE else _count(session, matching.where(waiting))
    late = matching.where(waiting)
    longest = replace(query, order=Order.RECEIVED)
    first = _rows(session, late, longest, start, query.size, "studies_waiting") if start < overdue else []
    left = query.size - len(first)
    rest = matching.where(or_(StudyRow.readers_done > 0, StudyRow.received >= before))
    others = _rows(session, rest, query, max(start - overdue, 0), left) if left else []
    lines = [_line(row, reading, overdue=True) for row, reading in first]
    lines += [_line(row, reading, overdue=False) for row, reading in others]
    return WorklistPage(tuple(lines), total)


def _allowed(reader: Reader) -> ColumnElement[bool]:
    if reader.everything:
        return true()
    return StudyRow.id.in_(select(AssignmentRow.study_id).where(AssignmentRow.reader_id == reader.id))


def _count(session: Session, selected: Selected) -> int:
    ids = selected.with_only_columns(StudyRow.id).limit(MOST_COUNTED).subquery()
    return session.scalar(select(func.count()).select_from(ids)) or 0


def _rows(
    session: Session, selected: Selected, query: WorklistQuery, start: int, size: int, index: str = ""
) -> list[tuple[StudyRow, ReadingRow | None]]:
    walked = selected if _narrowed(query) else _indexed(selected, index or _INDEXES[query.order])
    found = session.execute(walked.order_by(*_ORDERS[query.order]).offset(start).limit(size))
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
