"""The worklist of a PostgreSQL store: indices that are used, plans of the moment, a database that gives few rights."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from sqlalchemy import event, inspect, make_url, text

from medcam.core.worklist import WorklistQuery
from medcam.service.studies.migrate import SLOW_SEARCH, migrate_store
from medcam.store import AuditTrail, FilmStore, Worklist, open_store
from medcam.store.connections import database_engine
from medcam.store.migrate import downgrade, upgrade
from medcam.store.search_index import INDEX

from .conftest import run, sign
from .records import CARD, explanation, film, study


@pytest.fixture
def url(postgres) -> str:
    return postgres.new_url()


@contextmanager
def listened(store):
    """Statements and their parameters."""
    said = []

    def statement(_connection, _cursor, words, values, *_others):
        said.append((words, values))

    event.listen(store._engine, "before_cursor_execute", statement)
    yield said
    event.remove(store._engine, "before_cursor_execute", statement)


def plan(store, words: str, values: dict[str, object]) -> str:
    """How PostgreSQL answers a statement when it must not read a whole table where there is another way."""
    with store._engine.connect() as connection:
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        return "\n".join(row[0] for row in connection.exec_driver_sql(f"EXPLAIN {words}", values))


@pytest.fixture
def worklist(store, fill):
    fill(60)
    store.settle()
    return Worklist(store)


def test_a_search_goes_by_its_index(store, worklist, reader):
    with listened(store) as said:
        page = worklist.page(WorklistQuery(text="nothing has this"), reader, now=100.0)
    assert page.lines == ()
    searches = [one for one in said if "search" in one[0]]
    assert searches
    assert INDEX in plan(store, *searches[0])


def test_a_page_is_found_in_an_index_and_not_in_the_table(store, worklist, reader):
    with listened(store) as said:
        assert len(worklist.page(WorklistQuery(), reader, now=100.0).lines) > 0
    keys = next(one for one in said if "FROM studies" in one[0])
    assert "Index Only Scan using studies_listed" in plan(store, *keys)


def test_no_page_is_found_by_a_plan_that_was_made_for_any_page(store, worklist, reader):
    for number in range(15):  # the driver prepares after 5, and PostgreSQL stops planning anew after another 5
        worklist.page(WorklistQuery(text=f"text {number}"), reader, now=100.0)
    with store.read() as session:
        kept = "FROM pg_prepared_statements WHERE statement LIKE '%JOIN readings%LIKE%'"
        plans = session.execute(text(f"SELECT generic_plans, custom_plans {kept}")).all()
    assert sum(custom for _, custom in plans) >= 8
    assert sum(generic for generic, _ in plans) == 0


def test_without_the_right_to_an_extension_a_search_is_right_and_the_way_out_is_told(url):
    name = make_url(url).database
    run(url, f"CREATE ROLE plain_{name} LOGIN", f"GRANT CREATE, USAGE ON SCHEMA public TO plain_{name}")
    plain = make_url(url).set(username=f"plain_{name}").render_as_string()
    store = open_store(plain)
    try:
        films = FilmStore(store, AuditTrail(store, sign))
        films.keep_model(CARD, now=0.0)
        films.keep(study(1, accession_number="A-17"), film(1, 1), explanation("r"), now=1.0)
        assert not store.finish()
        assert SLOW_SEARCH in migrate_store(plain, None)
        with store.read() as session:
            found = session.scalars(text("SELECT id FROM studies WHERE search LIKE '%A-17%'")).all()
        assert found == [study(1).id]

        run(url, "CREATE EXTENSION pg_trgm")
        assert SLOW_SEARCH not in migrate_store(plain, None)
        assert INDEX in indices(store)
        assert store.finish()
    finally:
        store.close()


def indices(store) -> set[str | None]:
    return {one["name"] for one in inspect(store._engine).get_indexes("studies")}


def test_a_store_of_before_is_brought_up_to_date_with_all_that_it_holds(url):
    engine = database_engine(url)
    upgrade(engine)
    store = open_store(url)
    films = FilmStore(store, AuditTrail(store, sign))
    films.keep_model(CARD, now=0.0)
    films.keep(study(1), film(1, 1), explanation("r"), now=1.0)
    downgrade(engine, "0004")
    assert not {INDEX, "studies_listed"} & indices(store)

    upgrade(engine)
    assert {INDEX, "studies_listed"} <= indices(store)
    assert films.explanations(film(1).id)
    store.close()
    engine.dispose()
