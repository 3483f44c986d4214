"""What a store tells its database, for tests that count."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event

from medcam.store.engine import Store


@contextmanager
def counted(store: Store) -> Iterator[list[str]]:
    """What the database is asked and told in the block; "connection" for each one that is taken from the pool."""
    said: list[str] = []
    engine = store._engine

    def statement(_connection, _cursor, words, *_others):
        said.append(words)

    def taken(*_others):
        said.append("connection")

    event.listen(engine, "before_cursor_execute", statement)
    event.listen(engine.pool, "checkout", taken)
    try:
        yield said
    finally:
        event.remove(engine, "before_cursor_execute", statement)
        event.remove(engine.pool, "checkout", taken)
