"""All rows of a database as plain values, and back into an empty one of either kind."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import LargeBinary, Table, delete, func, insert, select, text
from sqlalchemy.orm import Session

from medcam.store.engine import Store
from medcam.store.errors import StoreError
from medcam.store.migrate import known_revisions, newest
from medcam.store.schema import AuditHeadRow, Base

_CHUNK = 500
Row = dict[str, Any]


def table_names() -> tuple[str, ...]:
    """Names of all tables, each after those that it refers to."""
    return tuple(table.name for table in Base.metadata.sorted_tables)


def revision() -> str:
    """Which form the rows have: the newest step of the tables' history."""
    return newest()


def loadable(revision: str) -> bool:
    """Whether rows of a revision can be loaded: steps so far only added tables, and columns that may be left out."""
    return revision in known_revisions()


def dump_rows(session: Session, name: str) -> Iterator[Row]:
    """The rows of a table, as JSON values; binary ones in base 64.

    Args:
        session: From `Store.read`: one for all tables gives one state of all of them.
        name: Of the table.
    """
    table = Base.metadata.tables[name]
    binary = _binary(table)
    query = select(table).order_by(*table.primary_key.columns)
    for row in session.execute(query, execution_options={"yield_per": _CHUNK}):
        values = dict(row._mapping)
        for column in binary:
            value = values[column]
            values[column] = None if value is None else base64.b64encode(value).decode("ascii")
        yield values


def load_rows(store: Store, tables: Mapping[str, Iterator[Row]]) -> dict[str, int]:
    """Fills an empty database, all of it or nothing.

    Args:
        store: The database.
        tables: Rows by table, as `dump_rows` gives them, or gave them at a revision that is `loadable`.

    Returns:
        How many rows each table got.

    Raises:
        StoreError: The database is not empty (code `store-not-empty`), or refuses the rows.
    """
    counts: dict[str, int] = {}
    with store.begin() as session:
        _refuse_filled(session)
        session.execute(delete(AuditHeadRow))
        for table in Base.metadata.sorted_tables:
            counts[table.name] = _fill(session, table, tables.get(table.name, iter(())))
        if store.dialect == "postgresql":
            _count_on(session)
    store.settle()
    return counts


def _fill(session: Session, table: Table, rows: Iterator[Row]) -> int:
    binary = _binary(table)
    waiting: list[Row] = []
    count = 0
    for row in rows:
        for column in binary:
            row[column] = None if row[column] is None else base64.b64decode(row[column])
        waiting.append(row)
        count += 1
        if len(waiting) == _CHUNK:
            session.execute(insert(table), waiting)
            waiting = []
    if waiting:
        session.execute(insert(table), waiting)
    return count


def _refuse_filled(session: Session) -> None:
    for table in Base.metadata.sorted_tables:
        if table.name != AuditHeadRow.__tablename__ and session.scalar(select(func.count()).select_from(table)):
            raise StoreError(
                "the store that is to be filled is not empty",
                code="store-not-empty",
                next_step="Name another one, or move the one that is there out of the way.",
            )


def _count_on(session: Session) -> None:
    """Makes PostgreSQL number new rows after those that were loaded."""
    for table in Base.metadata.sorted_tables:
        [key, *others] = table.primary_key.columns
        if others or key.autoincrement is not True:
            continue
        statement = (
            f"SELECT setval(pg_get_serial_sequence('{table.name}', '{key.name}'), "  # noqa: S608  our own names
            f"coalesce((SELECT max({key.name}) FROM {table.name}), 1), "
            f"(SELECT count(*) FROM {table.name}) > 0)"
        )
        session.execute(text(statement))


def _binary(table: Table) -> list[str]:
    return [column.name for column in table.columns if isinstance(column.type, LargeBinary)]
