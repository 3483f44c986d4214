from __future__ import annotations

import pytest

from medcam.core.errors import InvalidValueError, UsageError
from medcam.core.reader import Role
from medcam.store import audit_events

from .records import study


def test_a_reader_is_made_changed_and_found(readers):
    ada = readers.set("https://idp", "7", name="Ada", roles=[Role.READER])
    assert readers.find("https://idp", "7") == ada
    assert readers.find("local", "7") is None

    changed = readers.set("https://idp", "7", name="Ada L.", roles=[Role.READER, Role.ADMIN], active=False)
    assert changed.id == ada.id
    assert readers.all() == [changed]
    assert changed.has(Role.ADMIN)
    assert not changed.has(Role.AUDITOR)


def test_names_are_told_of_those_who_are_asked_for(readers):
    ada, bob, _ = (readers.set("local", name.lower(), name=name, roles=[Role.READER]) for name in ("Ada", "Bob", "Eve"))
    assert readers.names([bob.id, ada.id, bob.id, 10_000]) == {ada.id: "Ada", bob.id: "Bob"}
    assert readers.names([]) == {}


def test_a_reader_without_a_role_is_none(readers):
    with pytest.raises(InvalidValueError):
        readers.set("local", "x", name="X", roles=[])


def test_changes_are_noted_and_what_changes_nothing_is_not(readers, store):
    for roles in ([Role.READER], [Role.READER], [Role.AUDITOR]):
        readers.set("local", "ada", name="Ada", roles=roles, by="boss@local")

    events = list(audit_events(store))
    assert [event.kind for event in events] == ["reader-changed", "reader-changed"]
    assert [event.details["roles"] for event in events] == [["reader"], ["auditor"]]
    assert {event.reader for event in events} == {"boss@local"}


def test_a_reader_may_read_what_is_assigned_until_it_is_withdrawn(readers, fill):
    fill(3)
    ada = readers.set("local", "ada", name="Ada", roles=[Role.READER])
    bob = readers.set("local", "bob", name="Bob", roles=[Role.READER])
    assert readers.assign(ada, [study(1).id, study(2).id]) == 2
    assert readers.assign(ada, [study(2).id]) == 0

    assert [readers.may_read(ada, study(n).id) for n in range(3)] == [False, True, True]
    assert not readers.may_read(bob, study(1).id)
    assert readers.withdraw(ada, [study(1).id, study(0).id]) == 1
    assert not readers.may_read(ada, study(1).id)


def test_one_who_may_read_everything_may_not_read_what_is_not_there(readers, fill):
    fill(1)
    ada = readers.set("local", "ada", name="Ada", roles=[Role.READER], everything=True)

    assert readers.may_read(ada, study(0).id)
    assert not readers.may_read(ada, study(9).id)


def test_one_who_was_shut_out_may_read_nothing_whatever_an_old_value_says(readers, fill):
    fill(1)
    ada = readers.set("local", "ada", name="Ada", roles=[Role.READER], everything=True)
    readers.set("local", "ada", name="Ada", roles=[Role.READER], everything=True, active=False)

    assert not readers.may_read(ada, study(0).id)


def test_a_study_that_is_not_there_cannot_be_assigned_and_nothing_is(readers, fill):
    fill(1)
    ada = readers.set("local", "ada", name="Ada", roles=[Role.READER])
    with pytest.raises(UsageError) as caught:
        readers.assign(ada, [study(0).id, study(5).id])

    assert caught.value.code == "no-such-study"
    assert not readers.may_read(ada, study(0).id)


def test_many_studies_are_withdrawn_at_once(readers, fill, monkeypatch):
    monkeypatch.setattr("medcam.store.readers._SOME", 3)
    fill(8)
    ada = readers.set("local", "ada", name="Ada", roles=[Role.READER])
    ids = [study(n).id for n in range(8)]

    assert readers.assign(ada, ids) == 8
    assert readers.withdraw(ada, ids) == 8
    assert not any(readers.may_read(ada, one) for one in ids)
