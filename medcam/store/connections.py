"""Connections to the database, each as it has to be: SQLite in a file, or PostgreSQL."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from medcam.store.errors import StoreError
from medcam.store.hinted import heed_hints

BUSY_SECONDS = 30.0
"""How long a writer of SQLite waits for another one."""
DIALECTS = ("sqlite", "postgresql")
_CACHE_KIB = 4 * 1024
"""Memory in which a connection to SQLite keeps pages of the file, at the most. Each thread at work has one."""
READS = "medcam_reads"
"""Option of a connection whose transactions write nothing."""
_CONNECTIONS = 12
"""Connections that stay open between uses; as many again are opened while all of these are in use."""
_RECYCLE_SECONDS = 1800
"""Older connections are opened anew: what lies between may drop them without a word."""
_DRIVER = "psycopg"
_POSTGRES = "SET jit = off; SET random_page_cost = 1.1"
"""Of each connection. Compiling a statement takes longer than any of these does; and with the server's own setting,
made for disks that turn, it rather reads a whole table than a few thousand of its rows by an index."""


def database_engine(url: str) -> Engine:
    """SQLAlchemy's engine of a database, which need not be there yet.

    Args:
        url: As for `medcam.store.engine.open_store`.

    Raises:
        StoreError: It is no such URL (code `store-address`).
    """
    try:
        address = make_url(url)
        name = address.get_backend_name()
        if name not in DIALECTS:
            raise _bad_address(f"{name} is not a database that medcam knows")
        if name == "sqlite":
            pool = {"pool_size": _CONNECTIONS, "max_overflow": _CONNECTIONS}
            engine = create_engine(address, connect_args={"timeout": BUSY_SECONDS}, **pool)
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
            heed_hints(engine)
            return engine
        return _postgres_engine(address)
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise _bad_address(f"the database's address cannot be used ({type(error).__name__})") from error


def _postgres_engine(address: URL) -> Engine:
    if address.drivername == address.get_backend_name():
        address = address.set(drivername=f"{address.drivername}+{_DRIVER}")
    if address.get_driver_name() != _DRIVER:
        # Others begin transactions by themselves, whatever they are told.
        raise _bad_address(f"{address.get_driver_name()} is not the driver that medcam knows")
    engine = create_engine(
        address,
        pool_size=_CONNECTIONS,
        max_overflow=_CONNECTIONS,
        pool_recycle=_RECYCLE_SECONDS,
        # The one that was used last has its statements prepared.
        pool_use_lifo=True,
    )
    event.listen(engine, "connect", _prepare_postgres)
    event.listen(engine, "begin", _begin_postgres)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401  the driver's own connection
    # The driver would begin transactions by itself, and late: two readers that both go on to write would deadlock.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    # FULL: a commit is on the disk when it returns. NORMAL may lose the last ones when the power fails.
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A writer that began as a reader could not go on once somebody else wrote: it asks for its turn at once.
    reads = connection.get_execution_options().get(READS, False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def _prepare_postgres(connection: Any, _record: object) -> None:  # noqa: ANN401  the driver's own connection
    # The driver would begin transactions by itself, with a message of its own before the first statement.
    connection.autocommit = True
    connection.execute(_POSTGRES)


def _begin_postgres(connection: Connection) -> None:
    # One message says how the transaction is meant, and finds out whether the connection is still there.
    reads = connection.get_execution_options().get(READS, False)
    connection.exec_driver_sql("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" if reads else "BEGIN")


def _bad_address(message: str) -> StoreError:
    return StoreError(
        message,
        code="store-address",
        next_step="Give sqlite:///PATH or postgresql+psycopg://USER@HOST/NAME; for the latter install the extra "
        "`postgres`.",
    )
