"""The button that opens the first study that is not done finds it on whatever page it is."""

from __future__ import annotations

import pytest
from page_words import button
from streamlit.testing.v1 import AppTest

from catalogue.english import ENGLISH
from medcam.core.review import Phase
from medcam.core.worklist import ReadingState, WorklistQuery
from session import first_to_do

HOME = "import home; home.main()"
PAGE_SIZE = 25
"""Of the page, which runs where it is imported."""


@pytest.fixture
def kept(desk, film, said):
    """Keeps so many studies; gives their ids, the most urgent first."""

    def keep(count: int) -> list[str]:
        for number in range(count):
            desk.keep(number, film((said("Nodule", 0.95 - 0.01 * number),)), PatientID=f"P{number}")
        everything = WorklistQuery(size=count)
        return [line.study.id for line in desk.opened.worklist.page(everything, desk.reader, 0.0).lines]

    return keep


def done(desk, study_id: str) -> None:
    desk.opened.reviews.finish(desk.reader, study_id, 1.0)


def test_a_page_of_studies_that_are_done_leads_to_the_next_page(desk, kept):
    studies = kept(PAGE_SIZE + 2)
    for study_id in studies[:PAGE_SIZE]:
        done(desk, study_id)

    shown = AppTest.from_string(HOME, default_timeout=60).run()
    button(shown, ENGLISH["worklist.open-next"]).click().run()

    assert not shown.exception
    assert desk.opened.reviews.reading(desk.reader, studies[PAGE_SIZE]) is not None
    assert desk.opened.reviews.reading(desk.reader, studies[PAGE_SIZE + 1]) is None


def test_a_comment_that_was_not_sent_stays_behind_with_its_study(desk, kept):
    first, second = kept(2)
    shown = AppTest.from_string(HOME, default_timeout=60).run()
    button(shown, ENGLISH["worklist.open-next"]).click().run()
    shown.text_area(key="comment").set_value("of the first").run()

    button(shown, ENGLISH["review.finish"]).click().run()

    assert not shown.exception
    assert desk.opened.reviews.reading(desk.reader, first).done is not None
    assert desk.opened.reviews.reading(desk.reader, second) is not None
    assert shown.text_area(key="comment").value == ""


def test_what_was_begun_comes_last_and_what_is_done_not_at_all(desk, kept):
    studies = kept(4)
    done(desk, studies[0])
    [begun] = desk.opened.films.films(studies[1])
    desk.opened.reviews.begin(desk.reader, begun, Phase.BLIND, None)
    query = WorklistQuery(state=ReadingState.DONE)

    assert first_to_do(desk.opened, desk.reader, query) == studies[2]
    assert first_to_do(desk.opened, desk.reader, query, but=studies[2]) == studies[3]
    for study_id in studies[2:]:
        done(desk, study_id)
    assert first_to_do(desk.opened, desk.reader, query) == studies[1]
    done(desk, studies[1])
    assert first_to_do(desk.opened, desk.reader, query) is None
