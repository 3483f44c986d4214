"""Localisation from files in CheXlocalize's formats gives the figures that CheXlocalize defines."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch

from medcam.evaluate.formats.jsons import write_chexlocalize
from medcam.evaluate.formats.places import Place, PlacedFilm
from medcam.evaluate.formats.runs import Runs
from medcam.service.evaluation.localisation import Plan, evaluate_localisation
from medcam.service.evaluation.shown_files import HeatFolder, predicted_films
from medcam.service.evaluation.true_places import read_places

HALF = Plan(rule="0.5")


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
