"""Two explanations of one film side by side: what is told of them, and who may see them."""

from __future__ import annotations

import re

import numpy as np
import pytest
from page_words import button, html_of, words_of

from desk import DeskReader
from medcam.core.card import InputRecipe, ModelCard
from medcam.core.reader import Role
from medcam.dicom import DxAttributes, save_dx
from medcam.models.classifier import build_classifier
from medcam.models.files import save_model
from medcam.service.annotate.options import AnnotateOptions, Output
from medcam.service.annotate.several import annotate_with
from medcam.service.explanations.finding_codes import finding_cards
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


def saved(folder, *findings):
    """A random network, named as its folder."""
    card = ModelCard(
        name=folder.name,
        version="1",
        findings=finding_cards(findings),
        input=InputRecipe(64, 64),
        backbone="resnet",
        backbone_options={"stride": 8, "layers": [1, 1, 1, 1], "block_inplanes": [8, 8, 8, 8]},
        layer="layer4",
    )
    save_model(folder, build_classifier(card), card)
    return str(folder)


def test_two_models_that_annotated_in_one_pass_stand_side_by_side(desk, desk_store, page, tmp_path):
    films = tmp_path / "films"
    films.mkdir()
    pixels = np.kron(np.random.default_rng(1).integers(500, 3500, (8, 8)).astype(np.uint16), np.ones((8, 8), np.uint16))
    save_dx(films / "film.dcm", pixels, DxAttributes(seed="pair", window=(2048, 4096)))
    models = [saved(tmp_path / "one", "Nodule", "Pleural Effusion"), saved(tmp_path / "other", "Nodule", "Mass")]
    options = AnnotateOptions(outputs=(Output.JSON,), workers=1, engine="torch", store=desk_store)
    manifests = annotate_with(models, [films], tmp_path / "out", options)
    assert {name: manifest.counts.annotated for name, manifest in manifests.items()} == {"one": 1, "other": 1}
    shown = page("compare", study=manifests["one"].annotated[0].folder.partition("/")[0])
    told = rows(shown)

    assert not shown.exception
    chosen = [box.format_func(box.value) for box in shown.selectbox if box.label in ("Left", "Right")]
    assert sorted(label.partition(" ")[0] for label in chosen) == ["one", "other"]
    both = {row.split()[0]: row for row in told if row.split()[:1] and row.split()[0] in ("Nodule", "Mass", "Pleural")}
    assert set(both) == {"Nodule", "Mass", "Pleural"}
    assert "–" not in both["Nodule"]
    assert "–" in both["Mass"]
    assert any("highest points" in row for row in told)
    assert {look["explanation"] for look in viewed(desk)} == set(desk.opened.films.explanation_ids())
