"""Rows of the trail are edited by hand, in every way that somebody might, and each is found and named."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace

import pytest
from sqlalchemy import text

from medcam.service.audit.anchor import make_anchor
from medcam.service.audit.key import make_signer, read_signer, read_verifier
from medcam.service.audit.verify import Fault, verify_trail
from medcam.service.studies.opened import opened_store
from medcam.store import AuditDraft, audit_events, signed_message


@pytest.fixture
def check(ten, audit_key):
    def verify(anchors=()):
        return verify_trail(ten.store, read_verifier(audit_key), anchors)

    return verify


@pytest.fixture
def by_hand(ten):
    """Runs a statement on the database as somebody does who has no medcam."""

    def run(statement: str, *values: object) -> None:
        with sqlite3.connect(ten.address.file) as connection:
            assert connection.execute(statement, values).rowcount > 0
        connection.close()

    return run


def test_a_trail_that_nobody_touched_is_whole_and_its_tail_unproven(check):
    found = check()

    assert found.intact
    assert (found.events, found.proven) == (10, 0)
    assert not found.tail_proven


def test_an_anchor_at_the_end_proves_the_tail_and_an_earlier_one_what_is_before_it(check, ten):
    anchor = make_anchor(ten.store)
    assert check([anchor]).tail_proven

    ten.trail.append(AuditDraft("study-viewed"))
    later = check([anchor])
    assert later.intact
    assert not later.tail_proven
    assert later.proven == 10


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("body", '{"number":99}'),
        ("reader", "somebody@local"),
        ("time", "2020-01-01T00:00:00.000000+00:00"),
        ("kind", "login"),
        ("study", "0" * 16),
        ("digest", "a" * 64),
    ],
)
def test_an_edited_event_is_named(check, by_hand, column, value):
    by_hand(f"UPDATE audit_events SET {column} = ? WHERE number = 4", value)
    found = check()

    assert (found.fault, found.number) == (Fault.EDITED, 4)


def test_a_broken_link_is_named(check, by_hand):
    by_hand("UPDATE audit_events SET previous = ? WHERE number = 6", "b" * 64)

    assert (check().fault, check().number) == (Fault.MOVED, 6)


@pytest.mark.parametrize("signature", ["", "zz", "00" * 64])
def test_a_signature_that_is_none_is_named(check, by_hand, signature):
    by_hand("UPDATE audit_events SET signature = ? WHERE number = 2", signature)

    assert (check().fault, check().number) == (Fault.UNSIGNED, 2)


def test_a_removed_event_is_named(check, by_hand):
    by_hand("DELETE FROM audit_events WHERE number = 3")

    assert (check().fault, check().number) == (Fault.REMOVED, 3)


def test_events_that_changed_places_are_named(check, by_hand):
    by_hand("UPDATE audit_events SET number = 100 WHERE number = 5")
    by_hand("UPDATE audit_events SET number = 5 WHERE number = 7")
    by_hand("UPDATE audit_events SET number = 7 WHERE number = 100")

    assert (check().fault, check().number) == (Fault.MOVED, 5)


def test_a_removed_event_with_the_rest_moved_up_is_named(check, by_hand):
    by_hand("DELETE FROM audit_events WHERE number = 3")
    for number in range(4, 11):
        by_hand("UPDATE audit_events SET number = ? WHERE number = ?", number - 1, number)

    assert (check().fault, check().number) == (Fault.MOVED, 3)


def test_a_tail_that_was_cut_is_found_by_the_head(check, by_hand):
    by_hand("DELETE FROM audit_events WHERE number > 8")

    assert (check().fault, check().number) == (Fault.TRUNCATED, 9)


def test_a_tail_that_was_cut_with_the_head_put_back_is_found_by_an_anchor_alone(check, by_hand, ten):
    anchor = make_anchor(ten.store)
    eighth = list(audit_events(ten.store))[7]
    by_hand("DELETE FROM audit_events WHERE number > 8")
    by_hand("UPDATE audit_head SET number = 8, digest = ?", eighth.digest)

    assert check().intact
    assert not check().tail_proven
    assert (check([anchor]).fault, check([anchor]).number) == (Fault.TRUNCATED, 9)


def test_everything_gone_is_found_by_an_anchor(check, by_hand, ten):
    anchor = make_anchor(ten.store)
    by_hand("DELETE FROM audit_events")
    by_hand("UPDATE audit_head SET number = 0, digest = ?", "0" * 64)

    assert (check([anchor]).fault, check([anchor]).number) == (Fault.TRUNCATED, 1)


def test_an_event_that_was_slipped_in_at_the_end_is_named(check, by_hand):
    by_hand(
        "INSERT INTO audit_events SELECT 11, time, kind, reader, study, body, previous, digest, signature "
        "FROM audit_events WHERE number = 10"
    )

    assert (check().fault, check().number) == (Fault.MOVED, 11)


def test_a_head_that_is_gone_or_behind_is_found(check, by_hand):
    by_hand("UPDATE audit_head SET number = 9")
    assert check().fault is Fault.UNCOUNTED
    by_hand("DELETE FROM audit_head")
    assert check().fault is Fault.UNCOUNTED


def rewritten(ten, sign, start=4):
    """The events with one changed, and all digests after it made anew, as somebody does who knows how."""
    events = list(audit_events(ten.store))
    before = events[start - 2].digest
    for place in range(start - 1, len(events)):
        body = json.dumps({"number": 0}) if place == start - 1 else events[place].body
        draft = replace(events[place], body=body, previous=before)
        digest = draft.computed_digest()
        events[place] = replace(draft, digest=digest, signature=sign(signed_message(draft.number, digest)))
        before = digest
    return events


def put_back(by_hand, events):
    for event in events:
        by_hand(
            "UPDATE audit_events SET body = ?, previous = ?, digest = ?, signature = ? WHERE number = ?",
            event.body, event.previous, event.digest, event.signature, event.number,
        )  # fmt: skip
    by_hand("UPDATE audit_head SET digest = ?", events[-1].digest)


def test_a_trail_that_was_made_anew_without_the_key_is_named_where_it_begins(check, by_hand, ten, tmp_path):
    other = make_signer(tmp_path / "other.pem")
    put_back(by_hand, rewritten(ten, other.sign))

    assert (check().fault, check().number) == (Fault.UNSIGNED, 4)


def test_one_that_was_made_anew_with_the_key_is_found_by_an_anchor(check, by_hand, ten, audit_key):
    anchor = make_anchor(ten.store)
    put_back(by_hand, rewritten(ten, read_signer(audit_key).sign))

    assert check().intact
    assert (check([anchor]).fault, check([anchor]).number) == (Fault.REWRITTEN, 10)


def test_an_anchor_that_somebody_else_signed_is_told(check, ten, tmp_path):
    anchor = make_anchor(ten.store)
    other = make_signer(tmp_path / "other.pem")
    forged = replace(anchor, signature=other.sign(signed_message(anchor.number, anchor.digest)))

    assert (check([forged]).fault, check([forged]).number) == (Fault.FALSE_ANCHOR, 10)


def test_an_empty_trail_is_whole(opened, audit_key):
    found = verify_trail(opened.store, read_verifier(audit_key))

    assert found.intact
    assert not found.tail_proven


def test_progress_counts_events(ten, audit_key):
    seen: list[int] = []
    verify_trail(ten.store, read_verifier(audit_key), progress=seen.append)

    assert seen == list(range(1, 11))


def test_postgresql_is_verified_alike(postgres, audit_key, tmp_path):
    with opened_store(postgres.new_url()) as opened:
        for _ in range(5):
            opened.trail.append(AuditDraft("study-viewed"))
        verifier = read_verifier(audit_key)
        assert verify_trail(opened.store, verifier).intact
        with opened.store.begin() as session:
            session.execute(text("UPDATE audit_events SET reader = 'x' WHERE number = 3"))
        found = verify_trail(opened.store, verifier)
    assert (found.fault, found.number) == (Fault.EDITED, 3)
