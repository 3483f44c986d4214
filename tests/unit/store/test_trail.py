"""The chain: each event commits to what came before, two writers never fork it, and a failure leaves no trace."""

from __future__ import annotations

import json
import multiprocessing
from itertools import pairwise

import pytest

from medcam.core.errors import InvalidValueError
from medcam.store import (
    GENESIS,
    AuditDraft,
    AuditTrail,
    StoreError,
    audit_events,
    audit_head,
    find_events,
    open_store,
    signed_message,
)
from medcam.store.schema import AuditEventRow, AuditHeadRow

from .conftest import sign


def test_an_empty_trail_has_a_head_and_no_event(store):
    assert audit_head(store) == (0, GENESIS)
    assert list(audit_events(store)) == []


def test_each_event_commits_to_the_one_before_and_is_signed(store, trail):
    written = [trail.append(AuditDraft("login", f"r{number}@local", body={"n": number})) for number in range(3)]
    read = list(audit_events(store))

    assert read == written
    assert [event.number for event in read] == [1, 2, 3]
    assert read[0].previous == GENESIS
    assert [event.previous for event in read[1:]] == [event.digest for event in read[:-1]]
    assert all(event.digest == event.computed_digest() for event in read)
    assert all(event.signature == sign(signed_message(event.number, event.digest)) for event in read)
    assert audit_head(store) == (3, read[-1].digest)


def test_what_is_told_comes_back_as_it_was(store, trail):
    body = {"b": "Köln 韓國 \u2028", "a": [1, 2.5, None, True]}
    event = trail.append(AuditDraft("view", "김@local", "0" * 16, body))
    [read] = audit_events(store)

    assert read == event
    assert read.details == body
    assert read.body == json.dumps(body, sort_keys=True, separators=(",", ":"))


@pytest.mark.parametrize("body", [{"x": float("nan")}, {"x": object()}, {"x": {1, 2}}])
def test_what_is_no_json_is_refused_and_leaves_nothing(store, trail, body):
    with pytest.raises(InvalidValueError):
        trail.append(AuditDraft("view", body=body))
    assert audit_head(store) == (0, GENESIS)


def test_an_event_is_kept_with_what_it_is_about_or_not_at_all(store, trail):
    def note_and_fail() -> None:
        with store.begin() as session:
            trail.add(session, AuditDraft("view"))
            session.add(AuditEventRow(number=1))

    with pytest.raises(StoreError):
        note_and_fail()
    assert audit_head(store) == (0, GENESIS)
    assert list(audit_events(store)) == []


def test_events_are_found_by_what_they_are_about(store, trail):
    for number in range(6):
        trail.append(AuditDraft("view" if number % 2 else "login", f"r{number % 3}", str(number % 2) * 16))

    assert [event.number for event in find_events(store)] == [6, 5, 4, 3, 2, 1]
    assert [event.number for event in find_events(store, kind="view", limit=2)] == [6, 4]
    assert [event.number for event in find_events(store, reader="r1")] == [5, 2]
    assert [event.number for event in find_events(store, study="0" * 16, before=5)] == [3, 1]


def test_more_events_than_are_read_at_once_come_in_order(store, trail, monkeypatch):
    monkeypatch.setattr("medcam.store.trail._CHUNK", 4)
    for _ in range(9):
        trail.append(AuditDraft("view"))

    assert [event.number for event in audit_events(store)] == list(range(1, 10))
    assert [event.number for event in audit_events(store, after=5)] == [6, 7, 8, 9]


def test_without_its_head_nothing_is_added(store, trail):
    with store.begin() as session:
        session.delete(session.get(AuditHeadRow, 1))
    with pytest.raises(StoreError) as caught:
        trail.append(AuditDraft("view"))
    assert caught.value.code == "audit-head"
    assert audit_head(store) is None


def _write(url: str, name: str, count: int) -> None:
    store = open_store(url)
    trail = AuditTrail(store, sign)
    for _ in range(count):
        trail.append(AuditDraft("view", name))
    store.close()


def test_writers_in_several_processes_make_one_chain(url):
    open_store(url).close()
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write, args=(url, f"writer {n}", 15)) for n in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0, 0]

    store = open_store(url)
    events = list(audit_events(store))
    assert [event.number for event in events] == list(range(1, 46))
    assert all(after.previous == before.digest for before, after in pairwise(events))
    assert {event.reader for event in events} == {f"writer {n}" for n in range(3)}
    with store.read() as session:
        assert session.query(AuditEventRow).count() == 45
    store.close()
