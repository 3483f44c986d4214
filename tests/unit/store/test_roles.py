"""The role that the page on PostgreSQL makes can do all that medcam does, and cannot change what is only ever added."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import ProgrammingError

from medcam.core.review import Phase
from medcam.store import AuditTrail, FilmStore, JobQueue, ReaderStore, ReviewStore, Store, Worklist, open_store
from medcam.store.schema import Base

from .conftest import run, sign
from .records import CARD, explanation, film, study

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "use-postgresql.md"
ONLY_ADDED = ("audit_events", "reviews", "models", "explanations", "findings")


@pytest.fixture(scope="module")
def blocks() -> list[list[str]]:
    """Statements of each SQL block of the page."""
    found = re.findall(r"```sql\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return [[line.strip() for line in block.split(";\n") if line.strip()] for block in found]


@pytest.fixture(scope="module")
def store(postgres, blocks) -> Iterator[Store]:
    """The database as the page makes it, opened as the second role; its server asks local users for no password."""
    first = make_url(postgres.new_url())
    run(first, *blocks[0])
    run_as = first.set(database="medcam", username="medcam_owner")
    open_store(run_as.render_as_string()).close()
    run(run_as, *blocks[1])
    opened = open_store(run_as.set(username="medcam").render_as_string())
    yield opened
    opened.close()


def test_the_second_role_does_all_that_medcam_does(store):
    trail = AuditTrail(store, sign)
    films, readers, reviews = FilmStore(store, trail), ReaderStore(store, trail), ReviewStore(store, trail)
    films.keep_model(CARD, now=0.0)
    assert films.keep(study(1), film(1, 1), explanation("r"), now=1.0)
    reader = readers.set("local", "ada", name="Ada", roles=["reader"])
    assert readers.assign(reader, [study(1).id]) == 1
    [said] = films.explanations(film(1).id)
    reviews.begin(reader, film(1, 1), Phase.AIDED, said)
    reviews.finish(reader, study(1).id, 2.0)
    assert Worklist(store).progress(reader).done == 1
    assert readers.withdraw(reader, [study(1).id]) == 1
    assert JobQueue(store).enqueue("kind", "key", {})


def test_every_table_can_be_read(store):
    with store.read() as session:
        for name in Base.metadata.tables:
            assert session.scalar(text(f"SELECT count(*) FROM {name}")) >= 0


@pytest.mark.parametrize("table", ONLY_ADDED)
@pytest.mark.parametrize("act", ["DELETE FROM {}", "TRUNCATE {} CASCADE", "DROP TABLE {} CASCADE"])
def test_what_is_only_added_cannot_be_taken_away(store, table, act):
    with (
        pytest.raises(ProgrammingError, match=r"permission denied|must be owner"),
        store._engine.connect() as connection,
    ):
        connection.execute(text(act.format(table)))


def test_an_event_cannot_be_changed(store, blocks):
    [change] = [statement for statement in blocks[2] if not statement.startswith("--")]
    with pytest.raises(ProgrammingError, match="permission denied"), store._engine.connect() as connection:
        connection.execute(text(change))


def test_nothing_new_can_be_made(store):
    with pytest.raises(ProgrammingError, match="permission denied"), store._engine.connect() as connection:
        connection.execute(text("CREATE TABLE other (number INTEGER)"))
