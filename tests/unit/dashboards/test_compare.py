"""Two explanations of one film side by side: what is told of them, and who may see them."""

from __future__ import annotations

import re

import pytest
from page_words import button, html_of, words_of

from desk import DeskReader
from medcam.core.reader import Role
from medcam.store import audit_events


@pytest.fixture
def study(desk, film, said):
    """A film on which two methods spoke."""
    desk.keep(1, film((said("Nodule", 0.9, 0.4, zones=True), said("Mass", 0.2)), method="gradcam"))
    return desk.keep(1, film((said("Nodule", 0.6, 0.4, zones=True), said("Effusion", 0.7))))


def viewed(desk):
    return [event.details for event in audit_events(desk.opened.store) if event.kind == "study-viewed"]


def rows(page):
    return [re.sub(r"<[^>]+>", " ", row) for row in re.findall(r"<tr.*?</tr>", html_of(page))]


def test_both_are_told_with_their_difference_zones_and_places(desk, study, page):
    shown = page("compare", study=study)
    told = rows(shown)

    assert not shown.exception
    nodule = next(row for row in told if "Nodule" in row)
    assert {"0.600", "0.900", "0.400", "+0.405", "+2.197"} <= set(nodule.split())
    assert any("Mass" in row and "–" in row for row in told)
    assert any("Heart" in row and "–" in row for row in told)
    # The same cells speak for it, by another strength: the interpolated edges differ a little.
    overlap = next(row for row in told if "intersection over union" in row)
    assert 0.9 < float(overlap.split()[-1]) < 1.0
    assert any("highest points" in row and " px · mm unknown" in row for row in told)


def test_a_link_chooses_sides_and_finding(desk, study, page):
    [film] = desk.opened.films.films(study)
    first, second = desk.opened.films.explanations(film.id)
    shown = page("compare", study=study, film=film.id, left=second.id, right=first.id, finding="Nodule")

    assert [box.value for box in shown.selectbox if box.label in ("Left", "Right")] == [second.id, first.id]
    assert shown.query_params["left"] in (second.id, [second.id])


def test_a_finding_that_one_side_knows_has_nothing_to_compare(desk, study, page):
    shown = page("compare", study=study, finding="Mass")

    assert not shown.exception
    assert "nothing to compare" in words_of(shown)
    assert "does not know this finding" in html_of(shown)


def test_what_is_shown_of_both_is_in_the_trail_before_it_is_drawn_and_once(desk, study, page):
    shown = page("compare", study=study)
    shown.run()
    [film] = desk.opened.films.films(study)
    said = {one.id for one in desk.opened.films.explanations(film.id)}

    assert {look["explanation"] for look in viewed(desk)} == said
    assert [look["phase"] for look in viewed(desk)] == ["aided", "aided"]
    assert desk.opened.reviews.was_shown(desk.reader, study, film.id)


def test_who_is_to_read_blind_first_is_sent_to_do_so(desk, study, page):
    shown = page("compare", hides=True, study=study)

    assert "Read it first" in words_of(shown)
    assert button(shown, "Read it")
    assert "0.900" not in html_of(shown)
    assert viewed(desk) == []


def test_one_explanation_alone_comes_with_the_command_that_makes_another(desk, film, said, page):
    study = desk.keep(2, film((said("Nodule", 0.9),)))
    shown = page("compare", study=study)

    assert "medcam annotate SOURCE" in shown.code[0].value
    assert "--model OTHER" in shown.code[0].value
    assert viewed(desk) == []


def test_a_study_of_somebody_else_is_refused_and_not_offered(desk, study, page, monkeypatch):
    import session

    bob = desk.opened.readers.set("local", "bob", name="Bob", roles=[Role.READER])
    monkeypatch.setattr(session, "current_reader", lambda: DeskReader(bob))
    shown = page("compare", study=study)

    assert "no such study" in words_of(shown)
    assert not shown.selectbox
    assert "DOE" not in html_of(shown) + words_of(shown)
    assert viewed(desk) == []
    assert "No study is here" in words_of(page("compare"))
