"""A film of which several models spoke: whose answer is shown, and for whose the reader's is kept."""

from __future__ import annotations

import pytest
from page_words import button, html_of, words_of

from medcam.core.explanation import OutOfDistribution
from medcam.store import audit_events


@pytest.fixture
def study(desk, film, said):
    """A film that one model knows; another, which spoke later, withholds its answer."""
    desk.keep(1, film((said("Nodule", 0.9, 0.4), said("Mass", 0.2))))
    strange = OutOfDistribution(3.0, 2.0, True)
    return desk.keep(1, film((said("Effusion", 0.8, withheld=True),), ood=strange, model="other"))


@pytest.fixture
def ids(desk, study):
    """Explanations by their model."""
    [film] = desk.opened.films.films(study)
    return {one.model: one.id for one in desk.opened.films.explanations(film.id)}


def choice(shown):
    return next(box for box in shown.selectbox if box.label == "Answer of")


def kept(desk, study):
    return [one.review for one in desk.opened.reviews.of_study(study)]


def test_the_model_that_knows_the_film_is_shown_first_and_leads_the_worklist(study, ids, page):
    shown = page("review", study=study)

    assert not shown.exception
    assert choice(shown).value == ids["tiny"]
    assert "tiny 0.1" in html_of(shown)
    assert page("worklist").dataframe[0].value["Leading finding"].tolist() == ["Nodule"]


def test_the_other_is_shown_when_it_is_chosen_and_the_trail_says_so(desk, study, ids, page):
    shown = page("review", study=study)
    choice(shown).set_value(ids["other"]).run()

    assert not shown.exception
    assert "other 0.1" in html_of(shown)
    assert "**Pleural effusion**" in words_of(shown) or "**Effusion**" in words_of(shown)
    looks = [event.details["explanation"] for event in audit_events(desk.opened.store) if event.kind == "study-viewed"]
    assert looks == [ids["tiny"], ids["other"]]


def test_an_answer_is_kept_for_the_explanation_that_is_shown(desk, study, ids, page):
    shown = page("review", study=study, explanation=ids["other"])
    button(shown, "Agree").click().run()

    [answer] = kept(desk, study)
    assert (answer.explanation, answer.finding) == (ids["other"], "Effusion")


def test_an_answer_that_waits_for_a_region_is_not_given_for_another_model(desk, study, ids, page):
    shown = page("review", study=study)
    button(shown, "Right finding, wrong region").click().run()
    assert any("draw" in info.value.lower() for info in shown.info)
    choice(shown).set_value(ids["other"]).run()

    assert not any("draw" in info.value.lower() for info in shown.info)
    assert kept(desk, study) == []


def test_a_first_read_asks_for_the_findings_of_all_models(study, page):
    shown = page("review", hides=True, study=study)
    choices = next(group for group in shown.button_group if "present" in group.key).options

    assert len(choices) == 3
    assert not any(box.label == "Answer of" for box in shown.selectbox)


def test_one_model_alone_is_no_choice(desk, film, said, page):
    shown = page("review", study=desk.keep(2, film((said("Nodule", 0.9),))))

    assert not any(box.label == "Answer of" for box in shown.selectbox)
