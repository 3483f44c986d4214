"""The index for the worklist's search: by groups of three letters, with an extension that comes with PostgreSQL.

Without it a search reads every study: right, but slower the more there are. That of SQLite is in `search_letters`.
"""

from __future__ import annotations

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from medcam.store.search_letters import index_letters

EXTENSION = "pg_trgm"
INDEX = "studies_search"
_SCHEMA = "SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = :name"


def index_search(connection: Connection) -> bool:
    """Makes the index where it is missing and may be made.

    The owner of a database may make the extension since PostgreSQL 13, where the server has its files. SQLite has what
    it needs since 3.34, where its module FTS5 was built in.

    Args:
        connection: In a transaction, which goes on whatever comes of this.

    Returns:
        Whether a search has what it needs now.
    """
    if connection.dialect.name == "sqlite":
        return index_letters(connection)
    if _is_there(connection):
        return True
    try:
        with connection.begin_nested():
            connection.execute(text(f"CREATE EXTENSION IF NOT EXISTS {EXTENSION}"))
            schema = connection.scalar(text(_SCHEMA), {"name": EXTENSION})
            letters = f"{connection.dialect.identifier_preparer.quote(schema)}.gin_trgm_ops"
            # Without a list of what is yet to be put in: it would be searched whole, and be as slow as no index.
            made = f"CREATE INDEX {INDEX} ON studies USING gin (search {letters}) WITH (fastupdate = off)"
            connection.execute(text(made))
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
        return False
    return True


def _is_there(connection: Connection) -> bool:
    return connection.scalar(text("SELECT to_regclass(:name) IS NOT NULL"), {"name": INDEX}) is True
