"""The page on agreement as several kinds of people meet it, without a browser."""

from __future__ import annotations

import csv
import io

import pytest
from reading_study import FINDINGS, NAMES, keep_films, read_films
from streamlit.testing.v1 import AppTest

from components.forest import interval_mark, number
from components.spreadsheet import csv_bytes
from desk import DeskReader
from medcam.core.reader import Role
from medcam.core.review import Phase
from medcam.service.agreement.figures import Doubt, Figure
from medcam.service.review import dashboards_folder
from medcam.store import audit_events


@pytest.fixture
def page(desk):
    """Opens the page; the desk's reader, with all roles, looks at it."""

    def opened(**query: str) -> AppTest:
        shown = AppTest.from_file(str(dashboards_folder() / "pages" / "agreement.py"), default_timeout=60)
        for key, value in query.items():
            shown.query_params[key] = value
        return shown.run()

    return opened


@pytest.fixture
def sits_down(monkeypatch):
    """Another reader sits down before the page."""
    import session

    return lambda reader: monkeypatch.setattr(session, "current_reader", lambda: DeskReader(reader))


def html_of(page):
    return "\n".join(element.value for element in page.html)


def words_of(page):
    return "\n".join(element.value for kind in (page.info, page.warning, page.caption, page.error) for element in kind)


def test_without_a_model_or_without_answers_it_says_so(desk, page):
    assert "No model has spoken" in words_of(page())
    keep_films(desk.opened, 2)
    shown = page()

    assert not shown.exception
    assert "No answers" in words_of(shown)
    assert "Hide the model until my first read" in words_of(shown)


def test_the_other_phase_is_named_where_this_one_has_no_answers(desk, page):
    read_films(desk.opened, keep_films(desk.opened, 2), phases=[Phase.AIDED], weeks=1)

    assert "Aided: 40 answers" in words_of(page())
    assert "drawn to what was shown" in words_of(page(phase="Aided"))


def test_few_patients_are_warned_about_and_have_no_intervals(desk, page):
    read_films(desk.opened, keep_films(desk.opened, 6), weeks=1)
    shown = page()

    assert not shown.exception
    assert "6 patients: too few for intervals" in words_of(shown)
    assert "too few patients" in html_of(shown)
    assert ' class="shut"' not in html_of(shown)


def test_everything_is_shown_and_looking_is_noted_once(desk, page):
    read_films(desk.opened, keep_films(desk.opened, 20), weeks=2)
    shown = page()
    shown.run()
    html = html_of(shown)

    assert not shown.exception
    assert "20 patients for" in words_of(shown)
    for name in (*NAMES, *FINDINGS):
        assert name in html
    assert "Turned to the model" in html
    looks = [event for event in audit_events(desk.opened.store) if event.kind == "agreement-viewed"]
    assert [(look.reader, look.details["phase"]) for look in looks] == [("ada@local", "blind")]


def test_a_reader_sees_themselves_and_numbers(desk, page, sits_down):
    readers = read_films(desk.opened, keep_films(desk.opened, 12), weeks=1)
    sits_down(desk.opened.readers.set("local", "ben", name="Ben Cho", roles=[Role.READER]))
    shown = page()
    html = html_of(shown) + words_of(shown)

    assert len(readers) == 4
    assert "You · Reader 1" in html
    assert not [name for name in NAMES if name in html]
    assert "without their names" in words_of(shown)


def test_a_report_is_never_shown_to_somebody_else(desk, page, sits_down):
    read_films(desk.opened, keep_films(desk.opened, 12), weeks=1)
    assert "Cora Lindt" in html_of(page())
    sits_down(desk.opened.readers.set("local", "new", name="New", roles=[Role.READER]))

    assert "No answers" in words_of(page())


def test_an_address_that_asks_for_what_is_not_there_changes_nothing(desk, page):
    read_films(desk.opened, keep_films(desk.opened, 4), weeks=1)
    shown = page(phase="both", model="x", period="1", **{"agreed-on": "<b>"})

    assert not shown.exception
    assert "Pleural Effusion" in html_of(shown)


def test_a_spreadsheet_runs_nothing():
    head, rows = ("name", "value"), [("=1+1", -0.25), ("\tx", None), ("-a", 3), ("plain", 1.0)]
    read = list(csv.reader(io.StringIO(csv_bytes(head, rows).decode())))

    assert read == [["name", "value"], ["'=1+1", "-0.25"], ["'\tx", ""], ["'-a", "3"], ["plain", "1"]]


def test_marks_stand_where_their_figures_are():
    whole = interval_mark(Figure(0.3, -0.05, 1.0, 9, 9), 'κ "0.3"')
    ring = interval_mark(Figure(-1.0, None, None, 9, 9, Doubt.FEW), "")

    assert 'style="left:50.0%"' in whole
    assert 'style="left:25.0%;width:75.0%"' in whole
    assert "&quot;0.3&quot;" in whole
    assert 'class="open" style="left:0.0%"' in ring
    assert "<b" not in interval_mark(Figure(None, None, None, 9, 9, Doubt.ONE_CATEGORY), "")


def test_a_figure_that_is_not_there_says_why():
    told = number(Figure(None, None, None, 9, 9, Doubt.ONE_CATEGORY), "undefined")

    assert "undefined" in told
    assert "−0.25" in number(Figure(-0.25, None, None, 9, 9, Doubt.FEW))
    assert "80 % – 95 %" in number(Figure(0.9, 0.8, 0.95, 40, 40), percent=True)
