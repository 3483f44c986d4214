"""Opens the database: SQLite in a file by default, PostgreSQL by its URL. Migrations run when it is opened."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session

from medcam.store.connections import READS, database_engine
from medcam.store.errors import StoreError, store_error
from medcam.store.moment import Answer, CurrentMoment, Moment


class Store:
    """An open database, up to date. Safe for several threads; other processes may have it open too.

    Args:
        engine: SQLAlchemy's engine; see `open_store`.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reading = engine.execution_options(**{READS: True})
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
            raise store_error(error) from error

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
            raise store_error(error) from error
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
            raise store_error(error) from error

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
            raise store_error(error) from error

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

    engine = database_engine(url)
    try:
        upgrade(engine)
    except NewerStoreError as error:
        raise StoreError(
            "the database was written by a newer medcam",
            code="store-newer",
            next_step="Use that version of medcam, or another database.",
        ) from error
    except SQLAlchemyError as error:
        raise store_error(error) from error
    return Store(engine)


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
    reads = engine.get_execution_options().get(READS, False)
    return Session(engine, expire_on_commit=False, autoflush=not reads)
