"""Localisation on phantoms and pictures, by a model live or from its explanations, is measured the same way."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from medcam.core.errors import UsageError
from medcam.evaluate.formats.places import Place, PlacedFilm
from medcam.evaluate.formats.runs import Runs
from medcam.evaluate.formats.tables import write_boxes
from medcam.models.registry import load_model
from medcam.service.evaluation.localisation import Plan, evaluate_localisation
from medcam.service.evaluation.localisation_files import FIGURES, FILMS, PAGE, as_dict, notes, write_localisation
from medcam.service.evaluation.shown_files import predicted_films
from medcam.service.evaluation.shown_places import ExplainedFolder, ModelFilms
from medcam.service.evaluation.true_places import Id, key_of, read_places
from medcam.service.explain import explain
from medcam.service.explanations.explanation_json import write_explanation
from medcam.service.phantoms.truth import read_truth

HALF = Plan(rule="0.5")


@pytest.fixture(scope="module")
def model():
    return load_model("phantom")


@pytest.fixture(scope="module")
def measured(cohort_folder, model):
    return evaluate_localisation(read_places(cohort_folder), ModelFilms(cohort_folder, model), HALF)


def test_phantoms_are_measured_by_their_masks(measured, cohort_folder):
    there = [finding for film in read_truth(cohort_folder).values() for finding in film.findings]
    scores = [score for own in measured.scores.values() for score in own if score.true]

    assert measured.truth["format"] == "phantom"
    assert measured.measured_films == 6
    assert len(scores) == len(
        {(id(film), f.name) for film in read_truth(cohort_folder).values() for f in film.findings}
    )
    assert sum(score.true for score in scores) <= sum(int(finding.mask().sum()) for finding in there)
    assert all(figures.films == 6 for figures in measured.findings.values())
    assert not measured.skipped
    assert measured.unmatched == {"films without truth": 0, "films of the truth that are missing": 0}


def test_explanations_on_disk_give_the_figures_of_the_model(measured, cohort_folder, model, tmp_path):
    for number, film in enumerate(read_truth(cohort_folder).values()):
        folder = tmp_path / "study" / f"film{number}"
        folder.mkdir(parents=True)
        write_explanation(folder / "explanation.json", explain(film.file_path, model))
    shown = predicted_films(tmp_path)

    again = evaluate_localisation(read_places(cohort_folder), shown, HALF)

    assert isinstance(shown, ExplainedFolder)
    assert again.shown["weights_sha256"] == model.card.weights_sha256
    assert {n: f.iou.value for n, f in again.findings.items()} == {n: f.iou.value for n, f in measured.findings.items()}


def test_the_models_own_rule_is_the_same_from_explanations_but_for_the_outlines_grid(cohort_folder, model, tmp_path):
    own = Plan(rule="model")
    for number, film in enumerate(read_truth(cohort_folder).values()):
        folder = tmp_path / "study" / f"film{number}"
        folder.mkdir(parents=True)
        write_explanation(folder / "explanation.json", explain(film.file_path, model))

    truth = read_places(cohort_folder)
    live = evaluate_localisation(truth, ModelFilms(cohort_folder, model), own)
    kept = evaluate_localisation(truth, ExplainedFolder(tmp_path), own)

    for name, figures in live.findings.items():
        if figures.iou.value is not None:
            assert kept.findings[name].iou.value == pytest.approx(figures.iou.value, abs=0.05)


@pytest.fixture
def pictures(tmp_path, cohort_folder, model):
    """Films as PNG with a table of boxes, two to a patient, and a negative."""
    folder = tmp_path / "pngs"
    folder.mkdir()
    rows = []
    for number in range(40):
        pixels = np.random.default_rng(number).integers(0, 255, (48, 64)).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:03}.png")
        place = Place() if number % 8 == 0 else read_box(number)
        rows.append(PlacedFilm(f"{number:03}.png", {"Opacity": place}, 96, 128, f"p{number // 2}"))
    write_boxes(tmp_path / "boxes.csv", rows)
    return folder, tmp_path / "boxes.csv"


def read_box(number):
    mask = np.zeros((96, 128), dtype=bool)
    mask[10:60, 20 : 40 + number] = True
    return Place(runs=(Runs.of(mask),))


def test_pictures_are_found_by_name_and_rules_chosen_on_other_patients(pictures, model, tmp_path):
    folder, table = pictures
    truth = read_places(table, rename={"opacity": "Consolidation"})

    done = evaluate_localisation(truth, ModelFilms(folder, model), Plan(tune_share=0.5))
    rule = done.rules["Consolidation"]
    measured = {truth.patient(key_of(score.film, Id.FILE_NAME)) for score in done.scores["Consolidation"]}

    assert rule.chosen
    assert done.tuning_films + done.measured_films == 40
    assert rule.patients + len(measured) <= 20
    assert rule.iou is not None
    assert done.findings["Consolidation"].films == done.measured_films

    write_localisation(done, tmp_path / "out")
    kept = json.loads((tmp_path / "out" / FIGURES).read_text())
    assert kept == json.loads(json.dumps(as_dict(done)))
    assert len((tmp_path / "out" / FILMS).read_text().splitlines()) == done.measured_films + 1
    assert "Research use" in (tmp_path / "out" / PAGE).read_text()


def test_films_whose_patient_nobody_names_are_told(pictures, model):
    folder, table = pictures
    named = read_places(table, rename={"Opacity": "Consolidation"})
    films = {
        key: replace(film, patient="" if film.image < "010" else film.patient) for key, film in named.films.items()
    }

    told = list(notes(evaluate_localisation(replace(named, films=films), ModelFilms(folder, model), HALF)))
    silent = list(notes(evaluate_localisation(named, ModelFilms(folder, model), HALF)))

    [note] = [line for line in told if "whose" in line]
    assert "whose films 10 of its 40 are: each counts as a patient" in note
    assert not [line for line in silent if "whose" in line]


def test_a_film_of_another_shape_than_its_truth_is_passed_over(pictures, model):
    folder, table = pictures
    truth = read_places(table, rename={"Opacity": "Consolidation"})
    Image.fromarray(np.zeros((64, 64), dtype=np.uint8)).save(folder / "001.png")
    (folder / "002.png").write_bytes(b"no picture")

    done = evaluate_localisation(truth, ModelFilms(folder, model), HALF)

    assert done.skipped == {"001.png": "size-mismatch", "002.png": "undecodable"}


def test_findings_that_nobody_shows_are_named_and_none_at_all_is_an_error(pictures, model):
    folder, table = pictures
    with pytest.raises(UsageError) as caught:
        evaluate_localisation(read_places(table), ModelFilms(folder, model), HALF)
    assert caught.value.code == "nothing-to-localise"
    with pytest.raises(UsageError) as caught:
        evaluate_localisation(read_places(table, Id.SOP_INSTANCE_UID), ModelFilms(folder, model), HALF)
    assert caught.value.code == "nothing-to-localise"


def test_a_silent_model_shows_nothing_where_it_says_absent(cohort_folder, model):
    truth = read_places(cohort_folder)
    loud = evaluate_localisation(truth, ModelFilms(cohort_folder, model), HALF)
    silent = evaluate_localisation(truth, ModelFilms(cohort_folder, model), replace(HALF, silent=True))

    for name, own in silent.scores.items():
        threshold = next(finding.threshold for finding in model.card.findings if finding.name == name)
        for before, score in zip(loud.scores[name], own, strict=True):
            called = score.probability is not None and score.probability >= threshold
            assert score.found == (before.found if called else 0)
