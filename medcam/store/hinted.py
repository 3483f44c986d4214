"""Says to SQLite by which index a table is to be read."""

from __future__ import annotations

from sqlalchemy import Engine
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler


class _Hinting(SQLiteCompiler):
    """Writes what `Select.with_hint` asks for, which SQLAlchemy leaves out for SQLite."""

    def get_from_hint_text(self, _table: object, text: str | None) -> str | None:
        """What follows the table's name."""
        return text


def heed_hints(engine: Engine) -> None:
    """Makes an engine of SQLite write the hints of its statements."""
    engine.dialect.statement_compiler = _Hinting
