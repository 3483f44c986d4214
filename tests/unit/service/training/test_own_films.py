"""One's own films: read once, left out with a reason, patients kept together, places on the model's grid."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import written_layouts as written

from medcam.core.card import InputRecipe
from medcam.core.errors import UsageError
from medcam.core.geometry import Box, GridTransform
from medcam.dicom import load_radiograph
from medcam.evaluate.formats.places import Place
from medcam.models.training.films import UNCERTAIN, UNKNOWN, Films
from medcam.service.evaluation.true_places import Id, read_places
from medcam.service.training import read_films as reading_module
from medcam.service.training.balanced_split import balanced_split
from medcam.service.training.coarse_places import coarse_mask
from medcam.service.training.layouts.every import read_listing
from medcam.service.training.own_films import OwnFilms, Reading, own_films
from medcam.service.training.own_sets import Boxes, data_words, limit_words, own_sets
from medcam.service.training.read_films import WantedFilm, read_films
from medcam.service.training.uncertain import Uncertain, Unmentioned, decided, filled

RECIPE = InputRecipe(32, 32)


def own(source: Path, folder: Path, reading: Reading | None = None) -> OwnFilms:
    return own_films(read_listing(str(source)), RECIPE, reading or Reading(), folder)


def test_films_are_read_at_model_size_with_their_labels(tmp_path: Path) -> None:
    made = own(written.write_table(tmp_path / "data", 20), tmp_path / "films")
    assert made.films.names == ("Opacity",)
    assert made.films.images.shape == (20, 32, 32)
    assert made.films.labels[:, 0].tolist() == [0, 1] * 10
    assert (made.left_out, made.untold, made.placed) == ({}, 0, 0)
    assert len(np.unique(made.films.patients)) == 10
    bright = made.films.images[:, 8:24, 16:28].mean(axis=(1, 2))
    assert bright[1::2].min() > bright[::2].max() + 0.5


def test_what_was_read_is_kept_and_names_no_film(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = written.write_table(tmp_path / "data", 12)
    monkeypatch.setattr(reading_module, "CHUNK", 5)
    first = own(source, tmp_path / "films")
    kept = sorted((tmp_path / "films").iterdir())
    assert [path.name for path in kept] == [*(f"chunk-{start:07d}.npz" for start in (0, 5, 10)), "plan.json"]
    assert not any(b".png" in path.read_bytes() or b"data" in path.read_bytes() for path in kept)
    kept[1].unlink()
    opened: list[Path] = []
    load = reading_module.load_film
    monkeypatch.setattr(reading_module, "load_film", lambda path: opened.append(path) or load(path))
    again = own(source, tmp_path / "films")
    assert [path.stem for path in opened] == ["5", "6", "7", "8", "9"]
    np.testing.assert_array_equal(again.films.images, first.films.images)


def test_other_films_or_another_recipe_are_read_anew(tmp_path: Path) -> None:
    source = written.write_table(tmp_path / "data", 12)
    wanted = [WantedFilm(source / f"{number}.png") for number in range(12)]
    before = read_films(wanted, RECIPE, tmp_path / "films").images
    written.picture(source / "3.png", 4)
    changed = read_films(wanted, RECIPE, tmp_path / "films").images
    assert [bool((one == other).all()) for one, other in zip(before, changed, strict=True)].count(False) == 1
    assert read_films(wanted, InputRecipe(16, 16), tmp_path / "films").images.shape == (12, 16, 16)
    assert json.loads((tmp_path / "films" / "plan.json").read_text())["recipe"]["height"] == 16


def test_several_processes_read_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from same_process import SameProcess

    monkeypatch.setattr(reading_module, "ProcessPoolExecutor", SameProcess)
    monkeypatch.setattr(reading_module, "CHUNK", 5)
    wanted = [WantedFilm(written.write_table(tmp_path / "data", 12) / f"{number}.png") for number in range(12)]
    told: list[tuple[int, int]] = []
    read = read_films(wanted, RECIPE, tmp_path / "two", workers=2, progress=lambda *step: told.append(step))
    assert told == [(5, 12), (10, 12), (12, 12)]
    np.testing.assert_array_equal(read.images, read_films(wanted, RECIPE, tmp_path / "one").images)


def test_what_cannot_be_read_is_left_out_and_counted(tmp_path: Path) -> None:
    source = written.write_table(tmp_path / "data", 20)
    (source / "3.png").unlink()
    (source / "4.png").write_text("no picture")
    made = own(source, tmp_path / "films")
    assert made.left_out == {"no-such-file": 1, "undecodable": 1}
    assert len(made.films) == 18


def test_lateral_views_are_left_out_by_table_and_by_file(tmp_path: Path) -> None:
    by_table = own(written.write_chexpert(tmp_path / "c", 20), tmp_path / "c-films")
    assert by_table.left_out == {"lateral-view": 20}
    by_file = own(written.write_folders(tmp_path / "f", 20), tmp_path / "f-films")
    assert by_file.left_out == {"lateral-view": 1}


def test_dicom_files_are_asked_whose_they_are(tmp_path: Path) -> None:
    made = own(written.write_folders(tmp_path / "data", 20), tmp_path / "films")
    assert made.untold == 0
    assert len(np.unique(made.films.patients)) == 5
    assert not any("nobody says whose" in words for words in limit_words(made))


def test_pictures_that_nobody_owns_are_patients_of_their_own(tmp_path: Path) -> None:
    for number in range(12):
        written.picture(tmp_path / "data" / ("a" if number % 2 else "normal") / f"{number // 4}_{number}.png", number)
    made = own(tmp_path / "data", tmp_path / "films")
    assert (made.untold, len(np.unique(made.films.patients))) == (12, 12)
    assert any("12 films nobody says whose" in words for words in limit_words(made))
    pattern = Reading(patient_pattern=r"/(\d+)_")
    named = own(tmp_path / "data", tmp_path / "films", pattern)
    assert (named.untold, len(np.unique(named.films.patients))) == (0, 3)


@pytest.mark.parametrize("pattern", ["(", "hospital"])
def test_a_pattern_that_finds_nobody_is_refused(pattern: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        own(written.write_table(tmp_path / "data", 12), tmp_path / "films", Reading(patient_pattern=pattern))


def test_findings_are_chosen_by_name_or_by_what_can_be_learnt(tmp_path: Path) -> None:
    rows = [[f"{number}.png", int(number < 2), int(number % 2)] for number in range(12)]
    for number in range(12):
        written.picture(tmp_path / f"{number}.png", number)
    written.table(tmp_path / "labels.csv", [["image", "Rare", "Common"], *rows])
    assert own(tmp_path, tmp_path / "films").films.names == ("Common",)
    named = own(tmp_path, tmp_path / "films", Reading(findings=("Common", "Rare")))
    assert named.films.names == ("Common", "Rare")
    assert named.films.labels[:3].tolist() == [[0, 1], [1, 1], [0, 0]]
    for findings, code in ((("Unheard of",), "training-table"), ((), "training-table")):
        written.table(tmp_path / "labels.csv", [["image", "Rare"], *([row[0], row[1]] for row in rows)])
        with pytest.raises(UsageError) as caught:
            own(tmp_path, tmp_path / "films", Reading(findings=findings))
        assert caught.value.code == code


def test_a_data_set_without_films_is_refused(tmp_path: Path) -> None:
    written.table(tmp_path / "labels.csv", [["image", "Mass"], ["a.png", 1], ["b.png", 0]])
    with pytest.raises(UsageError) as caught:
        own(tmp_path, tmp_path / "films")
    assert caught.value.code == "empty-cohort"
    assert "2 no-such-file" in caught.value.message


def test_labels_that_reports_do_not_mention_are_absent_or_ignored(tmp_path: Path) -> None:
    source = written.write_chexpert(tmp_path / "data", 12)
    both = Reading(findings=("Edema", "Lung Opacity"))
    usual = own(source, tmp_path / "films", both).films
    assert usual.labels[:3].tolist() == [[UNCERTAIN, 0], [1, 1], [0, 0]]
    ignored = own(source, tmp_path / "films", Reading(findings=("Lung Opacity",), unmentioned=Unmentioned.IGNORE)).films
    assert ignored.labels[:3].tolist() == [[UNKNOWN], [1], [UNKNOWN]]


def test_uncertain_labels_are_decided_and_unknown_ones_stay() -> None:
    labels = np.array([1, 0, UNCERTAIN, UNKNOWN], dtype=np.int8)
    assert decided(labels, Uncertain.ONES).tolist() == [1, 0, 1, UNKNOWN]
    assert decided(labels, Uncertain.ZEROS).tolist() == [1, 0, 0, UNKNOWN]
    assert decided(labels, Uncertain.IGNORE).tolist() == [1, 0, UNKNOWN, UNKNOWN]
    assert filled(labels, Unmentioned.ABSENT).tolist() == [1, 0, UNCERTAIN, 0]


def test_uncertain_labels_are_decided_for_training_alone(tmp_path: Path) -> None:
    source = written.write_chexpert(tmp_path / "data", 60)
    listing = read_listing(str(source))
    made = own_films(listing, RECIPE, Reading(), tmp_path / "films")
    sets = own_sets(made, Uncertain.ONES, Boxes.MEASURE, seed=0)
    assert not (sets.train.labels == UNCERTAIN).any()
    assert sum(int((films.labels == UNCERTAIN).sum()) for films in (sets.validation, sets.calibration)) > 0
    words = data_words(listing, made, sets, Uncertain.ONES, Boxes.MEASURE)
    assert "60 films of 60 patients in the layout chexpert" in words
    assert "Edema 20 / 20 (20 uncertain)" in words
    assert "u-ones" in words
    assert "60 lateral-view" in words


def test_places_of_the_layout_lie_on_the_grid_of_the_model(tmp_path: Path) -> None:
    made = own(written.write_nih(tmp_path / "data", 20), tmp_path / "films")
    assert made.films.masks is not None
    assert made.placed == 1
    x, y, width, height = (round(value * 96 / written.SIDE) for value in written.BOX)
    expected = np.zeros((96, 96), dtype=np.bool_)
    expected[y : y + height, x : x + width] = True
    [(film, finding)] = np.argwhere(made.films.masks.any(axis=(2, 3)))
    assert made.films.names[finding] == "Infiltration"
    assert np.array_equal(made.films.masks[film, finding], expected)


def test_places_from_elsewhere_take_their_place(tmp_path: Path) -> None:
    source = written.write_table(tmp_path / "data", 20)
    written.table(
        tmp_path / "boxes.csv",
        [["image", "finding", "x", "y", "width", "height"], ["1.png", "opacity", *written.BOX]],
    )
    made = own(source, tmp_path / "films", Reading(places=read_places(tmp_path / "boxes.csv")))
    assert made.placed == 1
    assert own(source, tmp_path / "films", Reading(with_places=False)).films.masks is None


def test_places_are_found_by_uid_too(tmp_path: Path) -> None:
    source = written.write_folders(tmp_path / "data", 12)
    for number, path in enumerate(sorted(source.rglob("*.dcm"))):
        path.with_name(f"renamed-{number}.dcm").write_bytes(path.read_bytes())
        path.unlink()
    renamed = load_radiograph(next(iter(sorted((source / "opacity").glob("*.dcm")))))
    row = [renamed.identity.sop_instance_uid, "opacity", *written.BOX]
    written.table(tmp_path / "boxes.csv", [["image", "finding", "x", "y", "width", "height"], row])
    assert own(source, tmp_path / "films", Reading(places=read_places(tmp_path / "boxes.csv"))).placed == 0
    by_uid = read_places(tmp_path / "boxes.csv", Id.SOP_INSTANCE_UID)
    assert own(source, tmp_path / "films", Reading(places=by_uid)).placed == 1


def test_a_place_follows_padding_resizing_and_another_size_of_film() -> None:
    grid = GridTransform.identity(100, 200).pad(50, 50, 0, 0).resize(64, 64)
    mask = coarse_mask(Place((Box(100, 0, 100, 50),)), None, grid, side=32)
    expected = np.zeros((32, 32), dtype=np.bool_)
    expected[8:16, 16:32] = True
    assert np.array_equal(mask, expected)
    doubled = coarse_mask(Place((Box(200, 0, 200, 100),)), (200, 400), grid, side=32)
    assert np.array_equal(doubled, expected)


def test_a_place_smaller_than_a_cell_keeps_a_cell() -> None:
    grid = GridTransform.identity(1024, 1024).resize(320, 320)
    mask = coarse_mask(Place((Box(500, 500, 4, 4),)), None, grid, side=32)
    assert mask.sum() == 1
    assert mask[15, 15]


@pytest.mark.parametrize("boxes", list(Boxes))
def test_who_sees_places(boxes: Boxes, tmp_path: Path) -> None:
    source = written.write_rsna(tmp_path / "data", 30)
    sets = own_sets(own(source, tmp_path / "films"), Uncertain.IGNORE, boxes, seed=0)
    seen = [films.masks is not None for films in (sets.train, sets.validation, sets.calibration)]
    assert (
        seen
        == {
            Boxes.IGNORE: [False, False, False],
            Boxes.MEASURE: [False, False, True],
            Boxes.LEARN: [True, True, True],
        }[boxes]
    )


@pytest.mark.parametrize("seed", range(3))
def test_the_sets_share_no_patient_and_the_split_depends_on_its_seed_alone(seed: int, tmp_path: Path) -> None:
    made = own(written.write_table(tmp_path / "data", 40), tmp_path / "films")
    sets, again = (own_sets(made, Uncertain.IGNORE, Boxes.IGNORE, seed) for _ in range(2))
    people = [set(films.patients.tolist()) for films in (sets.train, sets.validation, sets.calibration)]
    assert [len(one) for one in people] == [14, 3, 3]
    assert len(set.union(*people)) == 20
    np.testing.assert_array_equal(sets.train.patients, again.train.patients)


def test_a_rare_finding_is_shared_out() -> None:
    labels = np.zeros((200, 1), dtype=np.int8)
    labels[:20] = 1
    films = Films(("Rare",), np.zeros((200, 4, 4), np.float16), labels, np.arange(200), np.full(200, -1))
    shares = [balanced_split(films, 0.15, seed)[1].labels.sum() for seed in range(20)]
    assert set(shares) == {3}


def test_real_films_are_read(shared_data: Path, tmp_path: Path) -> None:
    """The first films of a real set, by their own table; boxes come from another one."""
    home = shared_data / "radiographs"
    listing = read_listing(str(home / "nih"))
    assert listing.layout == "table"
    assert {"Pneumonia", "Effusion"} <= set(listing.findings)
    few = replace(listing, films=listing.films[:24])
    places = read_places(home / "boxes" / "boxes.csv", rename={"Lung Opacity": "Pneumonia"})
    made = own_films(few, RECIPE, Reading(findings=("Pneumonia",), places=places), tmp_path)
    assert len(made.films) == 24
    assert made.untold == 0
    assert made.placed > 0
    assert made.films.images.astype(np.float32).std() == pytest.approx(1.0, abs=0.1)
