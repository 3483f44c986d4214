"""The worklist as a reader meets it, without a browser."""

from __future__ import annotations

import time

import pytest
from page_words import words_of

import words
from desk import DeskReader
from medcam.core.reader import Role


def test_an_empty_store_says_how_it_is_filled(page):
    shown = page("worklist")

    assert not shown.exception
    assert "medcam annotate" in shown.code[0].value


def test_a_reader_without_assignments_is_told_so_and_sees_nothing(desk, two, page, monkeypatch):
    import session

    bob = desk.opened.readers.set("local", "bob", name="Bob", roles=[Role.READER])
    monkeypatch.setattr(session, "current_reader", lambda: DeskReader(bob))
    shown = page("worklist")

    assert "assigned" in words_of(shown)
    assert not shown.dataframe


def test_the_worklist_shows_the_most_urgent_first_with_what_leads_there(two, page):
    shown = page("worklist")
    table = shown.dataframe[0].value

    assert not shown.exception
    assert list(table["Leading finding"]) == ["Nodule", "none"]
    assert list(table["Patient"]) == ["DOE, N1", "DOE, N2"]
    assert list(table["Study date"]) == ["2026-01-02", "2026-01-03"]
    assert table["Probability"][0] == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("seconds", "english", "korean"), [(300, "5 min", "5분"), (7200, "2 h", "2시간"), (3 * 86400, "3 d", "3일")]
)
def test_how_long_a_study_waits_is_told_in_the_readers_language(two, page, monkeypatch, seconds, english, korean):
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + seconds)

    assert page("worklist").dataframe[0].value["Waiting"][0].startswith(english)
    monkeypatch.setattr(words, "language", lambda: "ko")
    assert page("worklist").dataframe[0].value["대기"][0].startswith(korean)


def test_the_worklist_is_searched_and_ordered(two, page):
    shown = page("worklist")
    shown.text_input(key="search").set_value("n2").run()
    assert list(shown.dataframe[0].value["Patient"]) == ["DOE, N2"]
    shown.text_input(key="search").set_value("").run()
    shown.selectbox(key="order").set_value("date").run()
    assert list(shown.dataframe[0].value["Patient"]) == ["DOE, N2", "DOE, N1"]
    shown.text_input(key="search").set_value("nobody").run()
    assert "No study matches" in words_of(shown)


def test_who_hides_the_model_does_not_learn_from_the_worklist_what_it_says(two, page):
    shown = page("worklist")
    shown.toggle(key="hide-model").set_value(True).run()
    table = shown.dataframe[0].value

    assert "Patient" in table
    assert not {"Leading finding", "Probability"} & set(table)
