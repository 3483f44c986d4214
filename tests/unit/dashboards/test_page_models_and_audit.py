"""The pages about models and about the audit trail, without a browser."""

from __future__ import annotations

from page_words import button, html_of
from sqlalchemy import text

from desk import DeskReader
from medcam.core.reader import Role


def test_the_models_page_shows_the_card_as_it_was(two, page):
    shown = page("models")

    assert not shown.exception
    assert "0.400" in html_of(shown)
    assert "tiny" in shown.expander[0].label


def test_the_audit_page_lists_events_and_verifies(desk, two, page):
    shown = page("audit")
    events = shown.dataframe[0].value
    assert list(events["Kind"])[-1] == "reader-changed"
    button(shown, "Verify the trail").click().run()

    assert "Whole" in shown.success[0].value
    assert "2 explanations and 0 answers" in shown.success[1].value
    shown.text_input(key="audit-kind").set_value("explanation-kept").run()
    assert set(shown.dataframe[0].value["Kind"]) == {"explanation-kept"}


def test_the_audit_page_tells_of_an_explanation_that_was_edited_by_hand(desk, two, page):
    with desk.opened.store.begin() as session:
        session.execute(text("UPDATE findings SET probability = 0.5 + probability / 4"))
    shown = page("audit")
    button(shown, "Verify the trail").click().run()

    assert "Not as noted: 2 explanations or answers" in shown.error[0].value
    assert "it is not what the trail noted" in shown.code[0].value


def test_the_audit_page_is_for_auditors(desk, two, page, monkeypatch):
    import session

    bob = desk.opened.readers.set("local", "bob", name="Bob", roles=[Role.READER], everything=True)
    monkeypatch.setattr(session, "current_reader", lambda: DeskReader(bob))

    assert not page("audit").dataframe
