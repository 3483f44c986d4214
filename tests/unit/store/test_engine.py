"""Opening the database: migrations up and down, several at once, settings that keep what was committed."""

from __future__ import annotations

import multiprocessing
import sqlite3

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect, text

from medcam.store import JobQueue, StoreError, open_store, sqlite_url
from medcam.store.connections import database_engine
from medcam.store.dump import loadable
from medcam.store.errors import ConflictError
from medcam.store.migrate import current, downgrade, known_revisions, newest, upgrade
from medcam.store.schema import Base, JobRow
from medcam.store.search_index import INDEX


def test_migrations_go_up_and_down_and_up(url):
    engine = database_engine(url)
    for _ in range(2):
        upgrade(engine)
        with engine.begin() as connection:
            assert current(connection) == newest()
        made = {name for name in inspect(engine).get_table_names() if not name.startswith("search_")}
        assert made == {*Base.metadata.tables, "alembic_version"}
        downgrade(engine)
        assert set(inspect(engine).get_table_names()) == {"alembic_version"}
    engine.dispose()


def _made_by_steps(_thing, name, kind, *_others):
    """All but the index that is made beside the steps, where it may be: of PostgreSQL, and tables of SQLite."""
    return (kind, name) != ("index", INDEX) and not (kind == "table" and name.startswith("search_"))


def test_migrations_make_the_tables_that_the_types_describe(url):
    engine = database_engine(url)
    upgrade(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_object": _made_by_steps})
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


def test_a_commit_is_on_the_disk_and_readers_do_not_wait(tmp_path):
    store = open_store(sqlite_url(tmp_path / "medcam.db"))
    with store.begin() as session:
        assert session.scalar(text("PRAGMA synchronous")) == 2
        assert session.scalar(text("PRAGMA journal_mode")) == "wal"
        assert session.scalar(text("PRAGMA foreign_keys")) == 1
        with store.read() as reading:
            assert reading.scalar(text("SELECT count(*) FROM jobs")) == 0
    store.close()


def test_a_reader_sees_one_state_throughout(store):
    with store.read() as session:
        assert session.query(JobRow).count() == 0
        JobQueue(store).enqueue("k", "a", {})
        assert session.query(JobRow).count() == 0
    with store.read() as session:
        assert session.query(JobRow).count() == 1


def test_a_failed_step_of_a_migration_leaves_nothing(tmp_path, monkeypatch):
    from medcam.store.migrations.versions import v0001_jobs

    path = tmp_path / "medcam.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE jobs_key_taken (x)")
        connection.execute("CREATE INDEX jobs_key ON jobs_key_taken (x)")
    connection.close()
    with pytest.raises(StoreError):
        open_store(sqlite_url(path))

    engine = create_engine(sqlite_url(path))
    assert v0001_jobs.revision == "0001"
    assert inspect(engine).get_table_names() == ["jobs_key_taken"]
    engine.dispose()


def _open(url: str) -> None:
    open_store(url).close()


def test_several_processes_may_open_an_empty_database_at_once(url):
    method = multiprocessing.get_context("spawn")
    processes = [method.Process(target=_open, args=(url,)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]


def test_a_database_of_a_newer_medcam_is_refused(tmp_path):
    url = sqlite_url(tmp_path / "medcam.db")
    open_store(url).close()
    with sqlite3.connect(tmp_path / "medcam.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()

    with pytest.raises(StoreError) as caught:
        open_store(url)
    assert caught.value.code == "store-newer"


@pytest.mark.parametrize("url", ["", "nonsense", "mysql://host/name", "sqlite+nodriver:///x"])
def test_an_address_that_is_none_is_told_from_a_database_that_fails(url):
    with pytest.raises(StoreError) as caught:
        open_store(url)
    assert caught.value.code == "store-address"


def test_a_database_that_cannot_be_opened_is_told_without_its_statements(tmp_path):
    (tmp_path / "medcam.db").write_bytes(b"no database" * 100)
    with pytest.raises(StoreError) as caught:
        open_store(sqlite_url(tmp_path / "medcam.db"))
    assert caught.value.code == "store"
    assert "SELECT" not in str(caught.value)
    assert "PRAGMA" not in str(caught.value)


def test_nothing_of_a_failed_transaction_is_kept(store):
    def row(key: str) -> JobRow:
        return JobRow(
            kind="k", key=key, payload={}, state="waiting", wanted=1, attempts=0, failures=0, losses=0,
            not_before=0.0, created=0.0, updated=0.0,
        )  # fmt: skip

    with store.begin() as session:
        session.add(row("a"))

    def write_two(second: str) -> None:
        with store.begin() as session:
            session.add(row("b"))
            session.flush()
            session.add(row(second))

    with pytest.raises(ConflictError):
        write_two("a")
    with store.begin() as session:
        assert [found.key for found in session.query(JobRow)] == ["a"]


def test_rows_of_every_older_revision_can_be_loaded_into_the_newest_tables(tmp_path):
    engine = database_engine(f"sqlite:///{tmp_path / 'one.db'}")

    def columns():
        names = inspect(engine)
        return {(table, one["name"]): one for table in names.get_table_names() for one in names.get_columns(table)}

    upgrade(engine)
    newest = columns()
    for revision in sorted(known_revisions(), reverse=True):
        downgrade(engine, revision)
        older = columns()
        added = {name: one for name, one in newest.items() if name not in older and name[0] in {at for at, _ in older}}
        inner = {name for name in older if name[0].startswith("search_")}  # of no table that a backup holds
        assert older.keys() - inner <= newest.keys()
        assert all(one["nullable"] or one["default"] is not None for one in added.values())
        assert loadable(revision)
    assert not loadable("9999")
    engine.dispose()


def test_indexes_come_to_a_store_of_the_second_revision_and_go(url):
    engine = database_engine(url)

    def indexes():
        names = inspect(engine)
        return {one["name"] for table in ("readings", "explanations") for one in names.get_indexes(table)}

    new = {"readings_progress", "explanations_created"}
    upgrade(engine)
    assert new <= indexes()
    downgrade(engine, "0002")
    assert not new & indexes()
    upgrade(engine)
    assert new <= indexes()
    engine.dispose()
