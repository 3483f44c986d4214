"""How a page learns who reads it: by the key that the gate put on its websocket, and by nothing that a client says."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from access import Hooks, Identity, Limits, LocalWay, NotSignedInError, current_identity, current_reader
from access import reader as module
from access.keeper import Doorkeeper

from .conftest import Clock, Store


@pytest.fixture
def page(monkeypatch):
    """An open page of Ada's, as Streamlit shows its headers to a script."""
    keeper = Doorkeeper(LocalWay(), Store(), Hooks(), Limits(), Clock())
    session = keeper.table.start(Identity("ada", "local"))
    monkeypatch.setattr(module, "OPEN", {"key": module.OpenPage(keeper, session)})
    headers = {module.CONNECTION_HEADER: "key"}
    monkeypatch.setattr(module, "st", SimpleNamespace(context=SimpleNamespace(headers=headers)))
    return SimpleNamespace(keeper=keeper, session=session, headers=headers)


def test_a_page_knows_its_reader(page):
    assert (current_reader().id, current_identity().subject) == ("r1", "ada")


@pytest.mark.parametrize("key", ["", "another", None])
def test_a_page_that_did_not_come_through_the_gate_has_none(page, key):
    if key is None:
        page.headers.clear()
    else:
        page.headers[module.CONNECTION_HEADER] = key

    with pytest.raises(NotSignedInError):
        current_reader()
    with pytest.raises(NotSignedInError):
        current_identity()


def test_a_page_whose_session_is_over_has_none(page):
    page.keeper.table.clock.now += 16 * 60

    with pytest.raises(NotSignedInError):
        current_reader()


def test_a_page_whose_reader_lost_access_has_none_at_once(page):
    assert current_reader().id == "r1"
    page.keeper.access.readers.clear()

    with pytest.raises(NotSignedInError, match="no access"):
        current_reader()


def test_a_page_is_told_of_new_roles_at_once(page):
    store = page.keeper.access
    store.readers["ada"] = store.readers["ann"]

    assert current_reader().roles == {"auditor"}


def test_outside_streamlit_there_is_no_reader():
    with pytest.raises(NotSignedInError):
        current_reader()
