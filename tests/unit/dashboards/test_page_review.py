"""The review page as a reader meets it, without a browser: whose study, what is shown, what is answered."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from page_words import button, html_of, words_of

import words
from desk import DeskReader
from medcam.core.explanation import OutOfDistribution
from medcam.core.reader import Role
from medcam.core.review import Answer
from medcam.service.studies import shown
from medcam.store import audit_events
from viewer import offered
from viewer.payload import written


def test_without_a_study_the_review_page_sends_to_the_worklist(desk, page):
    assert "Choose a study" in words_of(page("review"))


def test_a_study_of_somebody_else_is_refused_whatever_the_address_says(desk, two, page, monkeypatch):
    import session

    bob = desk.opened.readers.set("local", "bob", name="Bob", roles=[Role.READER])
    monkeypatch.setattr(session, "current_reader", lambda: DeskReader(bob))
    shown = page("review", study=two[0])

    assert "no such study" in words_of(shown)
    assert "DOE" not in words_of(shown) + html_of(shown)
    assert "study-viewed" not in [event.kind for event in audit_events(desk.opened.store)]


@pytest.mark.parametrize("name", ["review", "compare"])
def test_a_study_whose_films_are_gone_is_said_to_have_none(two, page, monkeypatch, name):
    kept = shown.shown_study
    monkeypatch.setattr(shown, "shown_study", lambda opened, study: replace(kept(opened, study), films=()))
    drawn = page(name, study=two[0])

    assert not drawn.exception
    assert "holds no film" in words_of(drawn)


def test_the_review_page_shows_findings_ledger_and_zones(two, page):
    shown = page("review", study=two[0])
    html = html_of(shown)

    assert not shown.exception
    assert "DOE N1" in words_of(shown)
    assert ">0.90<" in html
    assert "Heart" in html
    assert "Logit" in html


def test_the_maps_of_a_page_can_be_fetched_however_many_others_were_drawn_since(two, page):
    shown = page("review", study=two[0])
    addresses = [held.address for held in shown.session_state["viewer-content"]]
    written.cache_clear()

    assert addresses
    assert all(offered(address) for address in addresses)


def test_looking_is_noted_once_with_what_was_shown(desk, two, page):
    shown = page("review", study=two[0])
    shown.run()
    viewed = [event for event in audit_events(desk.opened.store) if event.kind == "study-viewed"]

    assert len(viewed) == 1
    assert (viewed[0].study, viewed[0].reader) == (two[0], "ada@local")
    assert viewed[0].details["phase"] == "aided"
    assert viewed[0].details["explanation"]
    assert viewed[0].details["film_sha256"] == f"{1:064x}"


def test_an_answer_is_kept_at_once_and_stands_in_the_table(desk, two, page):
    shown = page("review", study=two[0])
    button(shown, "Agree").click().run()

    [kept] = desk.opened.reviews.of_study(two[0])
    assert (kept.review.finding, kept.review.answer, kept.review.phase) == ("Nodule", Answer.AGREE, "aided")
    assert kept.review.display["probability"] == pytest.approx(0.9)
    row = re.search(r"<tr class=marked>.*?</tr>", html_of(shown)).group()
    assert "Agree" in row


def test_a_comment_goes_with_the_answer_and_the_field_is_empty_again(desk, two, page):
    shown = page("review", study=two[0])
    shown.text_area(key="comment").set_value("  seen before ").run()
    button(shown, "Uncertain").click().run()

    [kept] = desk.opened.reviews.of_study(two[0])
    assert kept.review.comment == "seen before"
    assert shown.text_area(key="comment").value == ""


def test_the_next_finding_is_answered_for_after_a_step(desk, two, page):
    shown = page("review", study=two[0])
    button(shown, "Next finding").click().run()
    button(shown, "Disagree").click().run()

    assert [one.review.finding for one in desk.opened.reviews.of_study(two[0])] == ["Mass"]
    assert button(shown, "Right finding, wrong region").disabled
    assert not button(shown, "Missed finding").disabled


def test_a_wrong_region_waits_until_it_is_drawn(desk, two, page):
    shown = page("review", study=two[0])
    button(shown, "Right finding, wrong region").click().run()

    assert "press Enter" in words_of(shown)
    assert desk.opened.reviews.of_study(two[0]) == []
    button(shown, "Cancel").click().run()
    assert "press Enter" not in words_of(shown)


def test_a_link_to_a_finding_opens_it(two, page):
    shown = page("review", study=two[0], finding="Mass")
    row = re.search(r"<tr class=marked>.*?</tr>", html_of(shown)).group()

    assert "Mass" in row


def test_reading_blind_shows_nothing_of_the_model_until_the_first_read_is_kept(desk, two, page):
    shown = page("review", hides=True, study=two[0])
    hidden = html_of(shown) + words_of(shown)
    assert ">0.90<" not in hidden
    assert "Logit" not in hidden

    [film] = desk.opened.films.films(two[0])
    shown.button_group(key=f"blind-{film.id}-present").set_value(["Mass"]).run()
    shown.slider(key=f"blind-{film.id}-Mass").set_value(90).run()
    button(shown, "Keep my first read and show the model").click().run()

    kept = {one.review.finding: one.review for one in desk.opened.reviews.of_study(two[0])}
    assert {name: review.answer for name, review in kept.items()} == {"Mass": "present", "Nodule": "absent"}
    assert kept["Mass"].confidence == 90.0
    assert {review.phase for review in kept.values()} == {"blind"}
    assert ">0.90<" in html_of(shown)
    button(shown, "Disagree").click().run()
    assert desk.opened.reviews.of_study(two[0])[-1].review.phase == "aided"
    viewed = [event.details for event in audit_events(desk.opened.store) if event.kind == "study-viewed"]
    assert [(look["phase"], look["explanation"] is None) for look in viewed] == [("blind", True), ("aided", False)]


def test_what_was_shown_is_not_hidden_again(desk, two, page):
    shown = page("review", study=two[0])
    shown.toggle(key="hide-model").set_value(True).run()

    assert ">0.90<" in html_of(shown)
    assert button(shown, "Agree")


def test_one_who_audits_and_does_not_read_looks_and_has_no_buttons(desk, two, page, monkeypatch):
    import session

    eve = desk.opened.readers.set("local", "eve", name="Eve", roles=[Role.AUDITOR])
    monkeypatch.setattr(session, "current_reader", lambda: DeskReader(eve))
    shown = page("review", study=two[0])

    assert ">0.90<" in html_of(shown)
    assert "Agree" not in [one.label for one in shown.button]
    assert not shown.toggle


def test_a_film_that_is_out_of_distribution_says_so(desk, film, said, page):
    ood = OutOfDistribution(9.0, 2.0, True)
    study = desk.keep(3, film((said("Nodule", 0.9, withheld=True),), ood=ood))
    shown = page("review", study=study)

    assert "Out of distribution" in words_of(shown)
    assert "withheld" in html_of(shown)


def test_what_a_film_names_cannot_become_markup(desk, film, said, page):
    evil = "<img src=x onerror=alert(1)>"
    study = desk.keep(4, film((said("Nodule", 0.9),)), PatientName=evil, StudyDescription=evil)
    shown = page("review", study=study)

    assert evil not in html_of(shown)
    assert evil not in words_of(shown)


def test_pixels_that_are_gone_are_told(desk, two, page):
    for path in desk.opened.files.all():
        path.unlink()

    assert "pixels" in words_of(page("review", study=two[0]))


def test_the_pages_speak_korean(two, page, monkeypatch):

    monkeypatch.setattr(words, "language", lambda: "ko")
    shown = page("review", study=two[0])

    assert "결절" in html_of(shown)
    assert button(shown, "동의")
