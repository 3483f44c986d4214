"""Pages are drawn one after the other, and none of them can stop the others for long."""

import threading

import pytest
from streamlit.testing.v1 import AppTest

import turn
from desk import DeskReader
from medcam.core.reader import Role
from medcam.service.review import dashboards_folder


@pytest.fixture
def lock():
    return threading.Lock()


@pytest.fixture
def home(desk, monkeypatch):
    """Draws the pages' common part and the first page that a reader with these roles has; returns how often it gave
    its turn away."""
    import session

    def drawn(*roles: Role) -> int:
        reader = desk.opened.readers.set("local", "bob", name="Bob", roles=roles, everything=True)
        monkeypatch.setattr(session, "current_reader", lambda: DeskReader(reader))
        given = []
        give = turn.Turn.give
        with monkeypatch.context() as patch:
            patch.setattr(turn.Turn, "give", lambda self: (given.append(self), give(self)))
            shown = AppTest.from_file(str(dashboards_folder() / "home.py"), default_timeout=60).run()
        assert not shown.exception
        return len(given)

    return drawn


def test_the_next_page_is_drawn_after_the_one_before(lock):
    order = []
    waits = threading.Event()

    def draw() -> None:
        waits.set()
        with turn.in_turn(lock, patience=60.0):
            order.append("second")

    with turn.in_turn(lock):
        second = threading.Thread(target=draw)
        second.start()
        assert waits.wait(60.0)
        second.join(0.05)
        order.append("first")
    second.join(60.0)

    assert order == ["first", "second"]


def test_a_page_that_has_long_to_go_lets_the_next_one_be_drawn(lock):
    with turn.in_turn(lock) as slow:
        slow.give()
        with turn.in_turn(lock, patience=0.01) as next_one:
            slow.give()
            assert lock.locked(), "only whoever has the turn gives it"
            next_one.give()
            assert not lock.locked()


def test_nobody_waits_longer_than_patience_and_the_turn_stays_whose_it_is(lock):
    with turn.in_turn(lock):
        with turn.in_turn(lock, patience=0.01):
            pass
        assert lock.locked()
    assert not lock.locked()


def test_the_turn_ends_with_the_page_however_that_ends(lock):
    with pytest.raises(ZeroDivisionError), turn.in_turn(lock):
        raise ZeroDivisionError

    assert not lock.locked()


def test_the_worklist_keeps_its_turn_until_it_is_drawn(home):
    assert home(Role.READER) == 1


def test_a_page_that_may_take_long_gives_its_turn_away_before(home):
    assert home(Role.ADMIN) == 2
