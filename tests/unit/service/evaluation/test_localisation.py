"""Truth and what is shown are brought together the same way, wherever both come from."""

import json
import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from medcam.core.errors import UsageError
from medcam.evaluate.formats.errors import PlacesError
from medcam.evaluate.formats.jsons import write_chexlocalize
from medcam.evaluate.formats.places import Place, PlacedFilm
from medcam.evaluate.formats.runs import Runs
from medcam.evaluate.formats.tables import write_boxes
from medcam.models.registry import load_model
from medcam.service.evaluation.localisation import Plan, evaluate_localisation
from medcam.service.evaluation.localisation_files import FIGURES, FILMS, PAGE, as_dict, notes, write_localisation
from medcam.service.evaluation.shown_files import HeatFolder, PlacedFiles, predicted_films
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


def truth_films():
    rng = np.random.default_rng(2)
    for number in range(12):
        mask = np.zeros((40, 50), dtype=bool)
        if number % 4:
            row, column = rng.integers(0, 20, 2)
            mask[row : row + 15, column : column + 18] = True
        name = f"patient{number // 2}_study{number}_view1_frontal"
        yield PlacedFilm(name, {"Edema": Place(runs=(Runs.of(mask),))}, 40, 50)


@pytest.fixture
def chexlocalize(tmp_path):
    """Truth, masks and heat maps in CheXlocalize's formats, with masks [film, 40, 50] of both."""
    films = list(truth_films())
    rng = np.random.default_rng(3)
    maps = {film.image: rng.random((5, 5)).astype(np.float32) for film in films[:10]}
    shown = []
    for film in films[:11]:
        mask = rng.random((40, 50)) < 0.2 if film is not films[3] else np.zeros((40, 50), dtype=bool)
        shown.append(PlacedFilm(film.image, {"Edema": Place(runs=(Runs.of(mask),))}, 40, 50))
    write_chexlocalize(tmp_path / "gt_segmentations_val.json", films, ("Edema",))
    write_chexlocalize(tmp_path / "gradcam_segmentations_val.json", shown, ("Edema",))
    (tmp_path / "maps").mkdir()
    for name, values in maps.items():
        record = {
            "map": torch.from_numpy(values)[None, None],
            "prob": 0.3,
            "task": "Edema",
            "gt": 1,
            "cxr_dims": (50, 40),
        }
        (tmp_path / "maps" / f"{name}_Edema_map.pkl").write_bytes(pickle.dumps(record))
    return tmp_path, films, shown, maps


def test_masks_are_scored_as_chexlocalize_defines_it(chexlocalize):
    folder, films, shown, _ = chexlocalize
    truth = [film.places["Edema"].mask(40, 50) for film in films]
    found = [film.places["Edema"].mask(40, 50) for film in shown] + [np.zeros((40, 50), dtype=bool)]
    both, either = [], []
    for one, other in zip(truth, found, strict=True):
        union = (one | other).sum()
        if union:
            either.append((one & other).sum() / union)
        if one.any() and other.any():
            both.append((one & other).sum() / union)

    done = evaluate_localisation(
        read_places(folder / "gt_segmentations_val.json"),
        predicted_films(folder / "gradcam_segmentations_val.json"),
        HALF,
    )
    figures = done.findings["Edema"]

    assert done.truth["patients"] == 6
    assert figures.iou_both.value == pytest.approx(np.mean(both))
    assert figures.iou_either.value == pytest.approx(np.mean(either))
    assert figures.iou_both.cases == len(both)


def test_heat_maps_hit_as_chexlocalize_defines_it(chexlocalize):
    folder, films, _, maps = chexlocalize
    hits = []
    for film in films[:10]:
        mask = film.places["Edema"].mask(40, 50)
        values = torch.from_numpy(maps[film.image])[None, None]
        full = torch.nn.functional.interpolate(values, size=(40, 50), mode="bilinear", align_corners=False)[0, 0]
        if mask.any():
            hits.append(bool(mask[np.unravel_index(int(full.numpy().argmax()), (40, 50))]))

    shown = predicted_films(folder / "maps")
    done = evaluate_localisation(read_places(folder / "gt_segmentations_val.json"), shown, HALF)

    assert isinstance(shown, HeatFolder)
    assert done.findings["Edema"].hit_rate.value == pytest.approx(np.mean(hits))
    assert done.unmatched["films of the truth that are missing"] == 2


def test_a_hostile_heat_map_costs_its_film_alone(chexlocalize):
    folder, films, _, _ = chexlocalize
    path = folder / "maps" / f"{films[1].image}_Edema_map.pkl"
    path.write_bytes(b"cos\nsystem\n(S'touch " + str(folder / "written").encode() + b"'\ntR.")

    done = evaluate_localisation(read_places(folder / "gt_segmentations_val.json"), HeatFolder(folder / "maps"), HALF)

    assert done.skipped == {films[1].image: "bad-places"}
    assert not (folder / "written").exists()


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


def test_masks_in_folders(tmp_path):
    for finding, white in (("Mass", True), ("Nodule", False)):
        (tmp_path / finding).mkdir()
        pixels = np.zeros((10, 12), dtype=np.uint8)
        pixels[2:4, 3:6] = 255 * white
        Image.fromarray(pixels).save(tmp_path / finding / "a.png")

    truth = read_places(tmp_path)
    film = truth.films["a"]

    assert (truth.format, film.height, film.width) == ("masks", 10, 12)
    assert film.places["Mass"].mask(10, 12).sum() == 6
    assert not film.places["Nodule"].said
    shown = PlacedFiles(tmp_path)
    assert evaluate_localisation(truth, shown, HALF).findings["Mass"].iou.value == 1.0


def test_names_of_films():
    assert key_of("images_1024/00000061_012.png", Id.FILE_NAME) == "00000061_012"
    assert key_of("patient1/study2/view1_frontal.jpg", Id.PATH) == "patient1_study2_view1_frontal"
    assert key_of("1.2.840.1", Id.FILE_NAME) == "1.2.840.1"


def test_broken_truth_and_plans_are_refused(tmp_path):
    (tmp_path / "Mass").mkdir()
    with pytest.raises(PlacesError):
        read_places(tmp_path)
    (tmp_path / "Mass" / "a.png").write_bytes(b"x")
    with pytest.raises(PlacesError):
        read_places(tmp_path)
    with pytest.raises(UsageError):
        read_places(tmp_path / "none.csv")
    (tmp_path / "twice.csv").write_text("image,finding,x,y,width,height\na/1.png,M,1,1,2,2\nb/1.png,M,1,1,2,2\n")
    with pytest.raises(UsageError):
        read_places(tmp_path / "twice.csv")
    for wrong in ({"rule": "best"}, {"rule": "1.5"}, {"sizes": (0.2, 0.1)}, {"tune_share": 1.0}):
        with pytest.raises(UsageError):
            Plan(**wrong)


def test_real_boxes_are_read(shared_data):
    truth = read_places(shared_data / "radiographs" / "boxes" / "boxes.csv")

    assert len(truth.films) == 107
    assert sum(len(place.boxes) for film in truth.films.values() for place in film.places.values()) == 172
    assert all(film.places[name].mask(1024, 1024).any() for film in truth.films.values() for name in film.places)
