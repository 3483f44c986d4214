"""The prior film: shown only to who may open it, noted in the trail, and without the model in a blind reading."""

from __future__ import annotations

import pytest
from page_words import button, html_of, words_of

from desk import DeskReader
from medcam.core.reader import Role
from medcam.core.worklist import ReadingState, WorklistQuery
from medcam.store import audit_events

SAME = {"PatientID": "P1", "PatientName": "DOE^JO"}


@pytest.fixture
def studies(desk, film, said):
    """Two priors and the newest study of one patient, and a later study of somebody else."""
    first = desk.keep(1, film((said("Nodule", 0.2),)), StudyDate="20240110", **SAME)
    second = desk.keep(2, film((said("Nodule", 0.3),)), StudyDate="20260102", **SAME)
    now = desk.keep(3, film((said("Nodule", 0.9),)), StudyDate="20260301", **SAME)
    desk.keep(4, film((said("Nodule", 0.9),)), StudyDate="20250301")
    return first, second, now


def looks(desk, study):
    return [
        event.details
        for event in audit_events(desk.opened.store)
        if (event.kind, event.study) == ("study-viewed", study)
    ]


def titles(page):
    return [html.value for html in page.html if "film-title" in html.value]


def test_a_prior_film_is_offered_with_its_date_and_interval_and_shown_when_asked_for(desk, studies, page):
    shown = page("review", study=studies[2])
    assert not titles(shown)
    button(shown, "Show the prior film (2)").click().run()

    assert not shown.exception
    assert "2026-01-02 · 58 days before · PA" in titles(shown)[1]
    choice = next(one for one in shown.selectbox if one.label == "Prior film")
    assert choice.options == ["2026-01-02 · 58 days before · PA", "2024-01-10 · 2.1 years before · PA"]
    button(shown, "Hide the prior film").click().run()
    assert not titles(shown)


def test_a_look_at_a_prior_film_is_in_the_trail_once_and_begins_no_reading(desk, studies, page):
    shown = page("review", study=studies[2])
    assert looks(desk, studies[1]) == []
    button(shown, "Show the prior film (2)").click().run()
    shown.run()

    [look] = looks(desk, studies[1])
    assert (look["phase"], look["beside"]) == ("aided", studies[2])
    assert look["explanation"] == desk.opened.films.explanations(look["film"])[0].id
    assert desk.opened.reviews.reading(desk.reader, studies[1]) is None
    unread = desk.opened.worklist.page(WorklistQuery(state=ReadingState.UNREAD), desk.reader, 0.0)
    assert studies[1] in {line.study.id for line in unread.lines}

    button(shown, "Hide the prior film").click().run()
    button(shown, "Show the prior film (2)").click().run()
    assert len(looks(desk, studies[1])) == 2
    next(one for one in shown.selectbox if one.label == "Prior film").select_index(1).run()
    assert len(looks(desk, studies[0])) == 1


def test_a_blind_reading_has_the_prior_film_without_the_model(desk, studies, page):
    shown = page("review", hides=True, study=studies[2])
    button(shown, "Show the prior film (2)").click().run()

    [look] = looks(desk, studies[1])
    assert (look["phase"], look["explanation"]) == ("blind", None)
    assert "without the model" in titles(shown)[1]
    assert not desk.opened.reviews.was_shown(desk.reader, studies[1], look["film"])


def test_a_prior_film_whose_own_first_read_is_to_be_blind_is_shown_without_the_model(desk, studies, page):
    page("review", study=studies[2])  # the newest film has been shown with the model, its prior has not
    shown = page("review", hides=True, study=studies[2])
    assert ">0.90<" in html_of(shown)
    button(shown, "Show the prior film (2)").click().run()

    [look] = looks(desk, studies[1])
    assert look["explanation"] is None
    assert "without the model" in titles(shown)[1]


def test_a_prior_film_that_the_reader_may_not_open_is_not_told_of(desk, studies, page, monkeypatch):
    import session

    bob = desk.opened.readers.set("local", "bob", name="Bob", roles=[Role.READER])
    desk.opened.readers.assign(bob, [studies[2]], by="ada@local")
    monkeypatch.setattr(session, "current_reader", lambda: DeskReader(bob))
    shown = page("review", study=studies[2])

    assert not [one for one in shown.button if "prior" in one.label]
    assert "2026-01-02" not in html_of(shown) + words_of(shown) + "".join(one.label for one in shown.button)


def test_the_interval_is_told_in_words():
    from components.prior_film import interval_words

    assert interval_words("20260101", "20260301") == "59 days before"
    assert interval_words("20250301", "20260301") == "12 months before"
    assert interval_words("20160301", "20260301") == "10.0 years before"
    assert interval_words("", "20260301") == interval_words("2016", "20260301") == ""
