from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import URL, create_engine, text

from medcam.core.reader import Reader, Role
from medcam.store import (
    AuditTrail,
    FilmStore,
    JobQueue,
    ReaderStore,
    ReviewStore,
    Store,
    open_store,
    sqlite_url,
)

from .records import CARD, explanation, film, study

BACKENDS = ["sqlite", "postgresql"]


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now

    def date(self) -> datetime:
        return datetime.fromtimestamp(self.now, UTC)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=BACKENDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database, of each kind in turn."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path / "medcam.db")
    return request.getfixturevalue("postgres").new_url()


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    opened = open_store(url)
    yield opened
    opened.close()


@pytest.fixture
def queue(store: Store, clock: Clock) -> JobQueue:
    return JobQueue(store, clock)


def run(url: str | URL, *statements: str) -> None:
    """Tells a database something past the store."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def sign(message: bytes) -> str:
    """Signs as no one should: good enough to see that signatures are kept."""
    return hashlib.sha256(b"key" + message).hexdigest()


@pytest.fixture
def trail(store: Store, clock: Clock) -> AuditTrail:
    return AuditTrail(store, sign, clock.date)


@pytest.fixture
def films(store: Store, trail: AuditTrail) -> FilmStore:
    films = FilmStore(store, trail)
    films.keep_model(CARD, now=0.0)
    return films


@pytest.fixture
def readers(store: Store, trail: AuditTrail, clock: Clock) -> ReaderStore:
    return ReaderStore(store, trail, clock)


@pytest.fixture
def reviews(store: Store, trail: AuditTrail, clock: Clock) -> ReviewStore:
    return ReviewStore(store, trail, clock)


@pytest.fixture
def reader(readers: ReaderStore) -> Reader:
    return readers.set("local", "ada", name="Ada", roles=[Role.READER], everything=True)


@pytest.fixture
def fill(films: FilmStore) -> Callable[..., None]:
    """Keeps a number of studies of one film each; study `n` comes at second `n` and has rank `ranks(n)`."""

    def keep(count: int, ranks: Callable[[int], float] = float, **values: str) -> None:
        for number in range(count):
            said = explanation(f"request {number}", rank=ranks(number))
            films.keep(study(number, **values), film(number, number), said, now=float(number))

    return keep
