"""The worklist of a SQLite store: by which indexes it is read, since SQLite would choose others."""

from __future__ import annotations

import pytest
from sqlalchemy import event

from medcam.core.reader import Role
from medcam.core.worklist import Order, ReadingState, WorklistQuery
from medcam.store import Worklist, sqlite_url

from .records import study


@pytest.fixture
def url(tmp_path):
    """SQLite alone."""
    return sqlite_url(tmp_path / "medcam.db")


@pytest.fixture
def plans(store, monkeypatch):
    """How SQLite answers what a reader with assigned studies asks, one text for each statement about studies."""

    def asked(reader, most=2500, **query):
        told = []

        def explained(connection, _cursor, words, values, *_others):
            if "FROM studies" in words and not words.startswith("EXPLAIN"):
                rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {words}", values)
                told.append("\n".join(row[3] for row in rows))

        monkeypatch.setattr("medcam.store.worklist.MOST_COUNTED", most)
        event.listen(store._engine, "before_cursor_execute", explained)
        assert Worklist(store).page(WorklistQuery(**query), reader, now=100.0).lines
        event.remove(store._engine, "before_cursor_execute", explained)
        return told

    return asked


@pytest.fixture
def bob(fill, readers):
    """Reads some studies of many."""
    fill(20)
    bob = readers.set("local", "bob", name="Bob", roles=[Role.READER])
    readers.assign(bob, [study(number).id for number in range(10)])
    return bob


@pytest.mark.parametrize("state", [ReadingState.ANY, ReadingState.UNREAD])
def test_keys_of_a_page_are_found_in_an_index_and_not_in_the_table(plans, bob, state):
    assert "studies USING COVERING INDEX studies_listed" in plans(bob, state=state)[0]


@pytest.mark.parametrize(
    ("order", "index"),
    [(Order.URGENCY, "studies_rank"), (Order.RECEIVED, "studies_received"), (Order.DATE, "studies_date")],
)
def test_where_much_matches_the_order_is_walked_along_and_nothing_sorted(plans, bob, order, index):
    walked = plans(bob, most=5, order=order)[-1]
    assert f"SCAN studies USING INDEX {index}" in walked
    assert "ORDER BY" not in walked


@pytest.mark.parametrize("query", [{"text": "00"}, {"flagged": False}, {"text": f"{3:016x}"}])
def test_an_index_that_lacks_what_is_asked_for_is_not_forced(plans, fill, reader, query):
    fill(8)
    assert not any("studies_listed" in one for one in plans(reader, **query))
