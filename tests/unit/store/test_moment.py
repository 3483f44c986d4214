"""One moment of the database: one transaction, no question twice, and connections that are lost and found again."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from statements_told import counted

from medcam.core.reader import Role
from medcam.core.review import Phase
from medcam.store import StoreError, open_store
from medcam.store.connections import database_engine

from .records import film, study


def test_a_moment_takes_one_connection_and_asks_nothing_twice(store, fill, readers, reviews, reader, films):
    fill(2)
    one = study(1).id
    with counted(store) as said, store.moment():
        for _ in range(3):
            assert readers.find("local", "ada") == reader
            assert readers.may_read(reader, one)
            assert reviews.of_study(one) == reviews.of_study(one, reader) == []
            assert films.study(one).id == one
    selects = [words for words in said if words.startswith("SELECT")]

    assert said.count("connection") == 1
    assert len([words for words in said if words.startswith("BEGIN")]) == 1
    assert len(selects) == 4


def test_without_a_moment_every_question_is_asked_anew(store, readers, reader):
    with counted(store) as said:
        readers.find("local", "ada")
        readers.find("local", "ada")
    assert said.count("connection") == 2


def test_a_moment_is_one_state_until_its_thread_writes(store, fill, readers, reviews, reader, url):
    fill(1)
    other = open_store(url)
    with store.moment():
        assert readers.find("local", "ada").active
        with other.begin() as session:
            session.execute(text("UPDATE readers SET active = false"))
        assert readers.find("local", "ada").active
        reviews.begin(reader, film(0), Phase.AIDED, None)
        assert not readers.find("local", "ada").active
        assert not readers.may_read(reader, study(0).id)
        assert reviews.reading(reader, study(0).id) is not None
    assert not readers.find("local", "ada").active
    other.close()


def test_the_next_moment_sees_a_right_that_was_taken_away(store, fill, readers):
    fill(2)
    bob = readers.set("local", "bob", name="Bob", roles=[Role.READER])
    readers.assign(bob, [study(0).id])
    both = [study(0).id, study(1).id]
    with store.moment():
        assert readers.may_read_of(bob, both) == {study(0).id}
    readers.withdraw(bob, both)
    with store.moment():
        assert readers.may_read_of(bob, both) == frozenset()
    assert readers.may_read_of(bob, []) == frozenset()


def test_a_block_that_reads_goes_on_in_its_state_while_its_thread_writes(store, fill, reviews, reader):
    fill(1)
    count = text("SELECT count(*) FROM readings")
    with store.moment():
        with store.read() as session:
            assert session.scalar(count) == 0
            reviews.begin(reader, film(0), Phase.AIDED, None)
            assert session.scalar(count) == 0
        with store.read() as session:
            assert session.scalar(count) == 1


def test_an_error_within_a_moment_leaves_the_next_question_a_sound_connection(store, readers, reader):
    with store.moment():
        with pytest.raises(StoreError), store.read() as session:
            session.execute(text("SELECT nothing FROM nowhere"))
        assert readers.find("local", "ada") == reader


def test_what_reads_cannot_write_to_postgresql(postgres):
    store = open_store(postgres.new_url())
    with pytest.raises(StoreError), store.read() as session:
        session.execute(text("UPDATE readers SET active = false"))
    store.close()


def test_connections_that_the_server_ended_are_opened_anew(postgres):
    url = postgres.new_url()
    store, killer = open_store(url), open_store(url)
    others = text(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    for use in (store.read, store.begin):
        with use() as session:
            session.execute(text("SELECT 1"))
        with killer.begin() as session:
            assert session.scalar(others) >= 1
        with use() as session:
            assert session.scalar(text("SELECT 1")) == 1
    store.close()
    killer.close()


def test_a_driver_that_begins_by_itself_is_refused():
    assert database_engine("postgresql://host/name").dialect.driver == "psycopg"
    with pytest.raises(StoreError) as caught:
        database_engine("postgresql+asyncpg://host/name")
    assert caught.value.code == "store-address"
