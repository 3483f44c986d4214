"""Brings a database's tables up to date, step by step, one process at a time."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from medcam.store.search_index import index_search

FOLDER = Path(__file__).with_name("migrations")
_LOCK = 0x6D656463616D
"""Of PostgreSQL's advisory locks: "medcam" in ASCII."""


class NewerStoreError(Exception):
    """The database is at a revision that this medcam does not know."""


def newest() -> str:
    """The revision that this medcam works with."""
    head = ScriptDirectory(str(FOLDER)).get_current_head()
    assert head is not None
    return head


def current(connection: Connection) -> str | None:
    """The revision of a database; None for an empty one."""
    return MigrationContext.configure(connection).get_current_revision()


def upgrade(engine: Engine) -> None:
    """Applies what is missing, in one transaction. Of several processes one does it and the others wait.

    Raises:
        NewerStoreError: The database is ahead of this medcam.
        SQLAlchemyError: The database refuses it.
    """
    with engine.begin() as connection:  # SQLite: BEGIN IMMEDIATE, so that there is one writer
        _wait_for_others(connection)
        revision = current(connection)
        if revision == newest():
            if connection.dialect.name == "sqlite":
                index_search(connection)  # another library of SQLite may have opened it last
            return
        if revision is not None and revision not in known_revisions():
            raise NewerStoreError
        command.upgrade(_config(connection), "head")
        index_search(connection)


def finish(engine: Engine) -> bool:
    """Makes what could not be made when the tables were brought up to date, for want of rights.

    Returns:
        Whether all is there now.
    """
    with engine.begin() as connection:
        _wait_for_others(connection)
        return index_search(connection)


def downgrade(engine: Engine, revision: str = "base") -> None:
    """Takes migrations back, with what they hold.

    Args:
        engine: Of the database.
        revision: Where to; "base" for an empty database.
    """
    with engine.begin() as connection:
        command.downgrade(_config(connection), revision)


def _wait_for_others(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


def known_revisions() -> frozenset[str]:
    """All that this medcam can bring up to date, and the newest."""
    return frozenset(script.revision for script in ScriptDirectory(str(FOLDER)).walk_revisions())


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
