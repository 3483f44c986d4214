"""How often a rerun of a page goes to the database: few times, and no more for more prior studies."""

from __future__ import annotations

import pytest
from page_words import button
from statements_told import counted
from streamlit.testing.v1 import AppTest

from catalogue.english import ENGLISH
from medcam.service.studies.address import FILMS_VARIABLE

SAME = {"PatientID": "P1", "PatientName": "DOE^JO"}
MOST_WORKLIST, MOST_REVIEW, MOST_ANSWER = 7, 11, 17
"""Statements of a rerun, BEGIN among them."""
HOME = "import home; home.main()"
"""As a script: in a folder with a folder `pages` the test's Streamlit would run those by themselves."""


@pytest.fixture(params=["sqlite", "postgresql"])
def desk_store(request, tmp_path, monkeypatch):
    """A store on each kind of database."""
    if request.param == "sqlite":
        return str(tmp_path / "store")
    monkeypatch.setenv(FILMS_VARIABLE, str(tmp_path / "films"))
    return request.getfixturevalue("postgres").new_url()


def test_a_rerun_is_one_transaction_of_few_statements_however_many_priors_there_are(desk, film, said):
    for number in range(7):
        probability = 0.6 + 0.05 * number  # the newest is the most urgent, so that it is the one that is opened
        desk.keep(number, film((said("Nodule", probability),)), StudyDate=f"2024{number + 1:02d}10", **SAME)
    shown = AppTest.from_string(HOME, default_timeout=60).run()
    with counted(desk.opened.store) as told:
        shown.run()
    assert not shown.exception
    assert told.count("connection") == 1
    assert len(told) - 1 <= MOST_WORKLIST

    button(shown, ENGLISH["worklist.open-next"]).click().run()
    button(shown, "Agree").click().run()
    with counted(desk.opened.store) as told:
        shown.run()
    assert not shown.exception
    assert any("FROM reviews" in words for words in told)
    assert told.count("connection") == 1
    assert len(told) - 1 <= MOST_REVIEW

    with counted(desk.opened.store) as told:
        button(shown, "Disagree").click().run()
    assert any(words.startswith("INSERT INTO audit_events") for words in told)
    assert told.count("connection") == 2
    assert len(told) - 2 <= MOST_ANSWER
