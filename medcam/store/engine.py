"""Opens the database: SQLite in a file by default, PostgreSQL by its URL. Migrations run when it is opened."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.orm import Session

from medcam.core.errors import MedcamError
from medcam.store.hinted import heed_hints
from medcam.store.moment import Answer, CurrentMoment, Moment

BUSY_SECONDS = 30.0
"""How long a writer of SQLite waits for another one."""
DIALECTS = ("sqlite", "postgresql")
_CACHE_KIB = 4 * 1024
"""Memory in which a connection to SQLite keeps pages of the file, at the most. Each thread at work has one."""
_READS = "medcam_reads"
"""Option of a connection whose transactions write nothing."""
_CONNECTIONS = 12
"""Connections that stay open between uses; as many again are opened while all of these are in use."""
_RECYCLE_SECONDS = 1800
"""Older connections are opened anew: what lies between may drop them without a word."""
_DRIVER = "psycopg"
_POSTGRES = "SET jit = off; SET random_page_cost = 1.1"
"""Of each connection. Compiling a statement takes longer than any of these does; and with the server's own setting,
made for disks that turn, it rather reads a whole table than a few thousand of its rows by an index."""


class StoreError(MedcamError):
    """The database cannot be used."""

    default_code = "store"
    default_next_step = "Check its address, the disk and the permissions; what was committed is kept."


class ConflictError(StoreError):
    """Somebody else wrote the same row at the same time."""

    default_code = "store-conflict"
    default_next_step = "Try it again."


class Store:
    """An open database, up to date. Safe for several threads; other processes may have it open too.

    Args:
        engine: SQLAlchemy's engine; see `open_store`.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reading = engine.execution_options(**{_READS: True})
        self._current = CurrentMoment()

    @contextmanager
    def begin(self) -> Iterator[Session]:
        """A session in a transaction that is committed, and on the disk, when its block ends without an error.

        The moment in which this thread reads is over: what it reads next is as after this.

        Raises:
            ConflictError: Another transaction wrote the same row first.
            StoreError: The database refuses it otherwise. Nothing of the transaction is kept then.
        """
        if self._current.moment is not None:
            # Before the transaction, not after: who waited for a connection while holding one might wait for ever.
            self._current.moment.end()
        try:
            with _opened_session(self._engine) as session:
                yield session
                session.commit()
        except SQLAlchemyError as error:
            raise _store_error(error) from error

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that only reads, and sees one state of the database throughout. It waits for no writer.

        Raises:
            StoreError: The database refuses it.
        """
        moment = self._current.moment
        alone = moment is None
        moment = moment or Moment(lambda: _opened_session(self._reading))
        try:
            with moment.reading() as session:
                yield session
        except SQLAlchemyError as error:
            moment.end()  # its connection may be gone
            raise _store_error(error) from error
        finally:
            if alone:
                moment.end()

    def ask(self, question: Hashable, answer: Callable[[Session], Answer]) -> Answer:
        """Reads the answer to a question; within a `moment` only where it was not asked before.

        Args:
            question: Names what is asked, with all that the answer depends on besides the database.
            answer: Reads it. What it gives must not be changed by whoever gets it.

        Raises:
            StoreError: The database refuses it.
        """
        moment = self._current.moment
        if moment is None:
            with self.read() as session:
                return answer(session)
        try:
            return moment.answered(question, answer)
        except SQLAlchemyError as error:
            moment.end()
            raise _store_error(error) from error

    @contextmanager
    def moment(self) -> Iterator[None]:
        """All that this thread reads in the block is of one state of the database, until it writes.

        It costs one transaction, however many questions there are, and none of them is asked twice. A block within
        another one is part of it.
        """
        if self._current.moment is not None:
            yield
            return
        moment = Moment(lambda: _opened_session(self._reading))
        self._current.moment = moment
        try:
            yield
        finally:
            self._current.moment = None
            moment.end()

    @property
    def dialect(self) -> str:
        """Which database it is: "sqlite" or "postgresql"."""
        return self._engine.dialect.name

    def finish(self) -> bool:
        """Makes the index of the worklist's search, where it could not be made before; whether there is all now.

        Raises:
            StoreError: The database cannot be used.
        """
        from medcam.store.migrate import finish

        try:
            return finish(self._engine)
        except SQLAlchemyError as error:
            raise _store_error(error) from error

    def settle(self) -> None:
        """Has PostgreSQL look at its tables after much was written; it does so by itself, but after a minute or so."""
        if self.dialect != "postgresql":
            return
        # Where it fails nothing is lost: it is slow until PostgreSQL looks by itself.
        with contextlib.suppress(SQLAlchemyError, self._engine.dialect.loaded_dbapi.Error):
            connection = self._engine.raw_connection()
            try:
                # Past SQLAlchemy: it would begin a transaction, in which this cannot be done.
                connection.cursor().execute("VACUUM (ANALYZE)")
            finally:
                connection.close()

    def close(self) -> None:
        """Lets go of all connections."""
        self._engine.dispose()


def sqlite_url(path: Path) -> str:
    """The URL of a database in a file."""
    return URL.create("sqlite", database=str(path)).render_as_string()


def open_store(url: str) -> Store:
    """Opens a database and brings its tables up to date, whoever else is opening it.

    Args:
        url: Such as "sqlite:////var/lib/medcam/medcam.db" or "postgresql+psycopg://medcam@127.0.0.1/medcam"; the latter
            needs the extra `postgres`.

    Raises:
        StoreError: It is no such URL (code `store-address`), was written by a newer medcam (`store-newer`), or cannot
            be opened (`store`).
    """
    # Alembic is large, and most processes of a run open no store.
    from medcam.store.migrate import NewerStoreError, upgrade

    engine = _engine(url)
    try:
        upgrade(engine)
    except NewerStoreError as error:
        raise StoreError(
            "the database was written by a newer medcam",
            code="store-newer",
            next_step="Use that version of medcam, or another database.",
        ) from error
    except SQLAlchemyError as error:
        raise _store_error(error) from error
    return Store(engine)


def _engine(url: str) -> Engine:
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


def _opened_session(engine: Engine) -> Session:
    """A session whose transaction has begun: on a new connection where the one at hand turns out to be gone."""
    session = _session(engine)
    try:
        session.connection()
    except DBAPIError as error:
        session.close()
        if not error.connection_invalidated:
            raise
        # All connections of the pool that are older than this failure are opened anew.
        session = _session(engine)
        try:
            session.connection()
        except BaseException:
            session.close()
            raise
    return session


def _session(engine: Engine) -> Session:
    reads = engine.get_execution_options().get(_READS, False)
    return Session(engine, expire_on_commit=False, autoflush=not reads)


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
    reads = connection.get_execution_options().get(_READS, False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def _prepare_postgres(connection: Any, _record: object) -> None:  # noqa: ANN401  the driver's own connection
    # The driver would begin transactions by itself, with a message of its own before the first statement.
    connection.autocommit = True
    connection.execute(_POSTGRES)


def _begin_postgres(connection: Connection) -> None:
    # One message says how the transaction is meant, and finds out whether the connection is still there.
    reads = connection.get_execution_options().get(_READS, False)
    connection.exec_driver_sql("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" if reads else "BEGIN")


def _bad_address(message: str) -> StoreError:
    return StoreError(
        message,
        code="store-address",
        next_step="Give sqlite:///PATH or postgresql+psycopg://USER@HOST/NAME; for the latter install the extra "
        "`postgres`.",
    )


def _store_error(error: SQLAlchemyError) -> StoreError:
    # Its text would quote statements with their values.
    cause = getattr(error, "orig", None)
    if isinstance(error, IntegrityError):
        return ConflictError(f"the database refuses a row ({type(cause).__name__})")
    return StoreError(f"the database cannot be used ({type(cause or error).__name__})")
