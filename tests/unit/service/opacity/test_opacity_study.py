"""Opacity on real films: what is planted, what is read, what is measured; a tiny run where the films are there."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from medcam.core.card import Interval
from medcam.core.errors import UsageError
from medcam.experiments.budget import Budget
from medcam.experiments.experiment import Setting
from medcam.experiments.nih_opacity import NIH_OPACITY
from medcam.models.efficientnet_lite import IMAGENET
from medcam.models.files import load_folder
from medcam.service.opacity import study
from medcam.service.opacity.features import FAMILIES, VERSIONS
from medcam.service.opacity.figures import label_figures, reader_figures
from medcam.service.opacity.films import OpacityFilms, opacity_films
from medcam.service.opacity.planted import Pair, plant
from medcam.service.opacity.planted_zones import plant_zones
from medcam.service.opacity.study import STEPS, Measured, chosen
from medcam.service.opacity.tail import Ingredients, Outputs

SIDE = 96
RECORD = Path(__file__).resolve().parents[4] / "docs" / "experiments" / "figures" / "nih-opacity.json"


def _lungs() -> np.ndarray:
    zones = np.zeros((6, SIDE, SIDE), np.float32)
    for number in range(6):
        left = 15 if number < 3 else 55
        top = 15 + number % 3 * 22
        zones[number, top : top + 22, left : left + 26] = 1.0
    return zones


Planting = Callable[[np.ndarray, np.ndarray, np.random.Generator], Pair]


@pytest.mark.parametrize("planting", [plant, plant_zones])
@pytest.mark.parametrize("seed", range(6))
def test_what_is_planted_lies_in_the_lungs_and_is_all_that_differs(planting: Planting, seed: int) -> None:
    film = np.full((SIDE, SIDE), 0.7, np.float32)
    film[_lungs().sum(axis=0) > 0] = 0.2
    pair = planting(film, _lungs(), np.random.default_rng(seed))
    again = planting(film, _lungs(), np.random.default_rng(seed))
    assert np.array_equal(pair.planted, again.planted)
    assert np.allclose(pair.planted, np.clip(pair.without + pair.change, 0, 1))
    assert (pair.change > 0.03).mean() > 0.006
    assert pair.change[pair.extent == 0].max() <= 0.04
    assert 0.0 <= pair.extent.min() <= pair.extent.max() <= 1.0
    # The lungs move with the film, a tenth of its side at the most.
    rim = np.ones((SIDE, SIDE), bool)
    rim[4:-4, 4:-4] = False
    assert np.abs(pair.change[rim]).max() < 0.02


def _films(count: int = 40) -> OpacityFilms:
    labels = np.arange(count) % 2
    return OpacityFilms(
        tuple(Path(f"{number}.png") for number in range(count)),
        np.arange(count) // 2,
        np.where(np.arange(count) % 4 < 2, "AP", "PA"),
        labels.astype(np.int8),
        labels.astype(np.int8),
        {},
        {},
    )


def test_scores_that_follow_the_stratum_alone_are_chance_within_strata() -> None:
    films = _films()
    by_view = np.repeat((films.views == "AP").astype(np.float32)[:, None], VERSIONS, axis=1)
    maps = np.zeros((len(films), VERSIONS, 4, 4), np.float32)
    assert label_figures(films, Outputs(by_view, maps))["strata"].value == 0.5
    by_label = np.repeat(films.labels.astype(np.float32)[:, None], VERSIONS, axis=1)
    assert label_figures(films, Outputs(by_label, maps))["strata"].value == 1.0


def test_films_of_a_patient_share_a_fold() -> None:
    films = _films()
    folds = films.folds(study.FOLDS, 0)
    assert len(np.unique(folds)) == study.FOLDS
    assert all(len(np.unique(folds[films.patients == patient])) == 1 for patient in films.patients)


def test_the_choice_follows_planted_opacities_among_those_better_than_chance() -> None:
    def row(name: str, low: float, planted: float, strata: float = 0.6) -> Measured:
        figures = {"strata": Interval(strata, low, 0.9)}
        keys = (f"{figure}-{family}" for figure in ("planted", "pointing") for family in FAMILIES)
        figures |= {key: Interval(planted, planted, planted) for key in keys}
        outputs = Outputs(np.zeros((1, 5)), np.zeros((1, 5, 2, 2)))
        return Measured(name, Ingredients(), outputs, study.measure.HALF, figures)

    rows = [row("chance", 0.4, 0.9), row("weak", 0.55, 0.5), row("good", 0.55, 0.8)]
    assert chosen(rows).name == "good"
    assert chosen([*rows, row("as good, strata better", 0.55, 0.795, 0.7)]).name == "as good, strata better"
    assert chosen([*rows, row("less good, strata better", 0.55, 0.78, 0.7)]).name == "good"
    assert chosen(rows[:1]).name == "chance"


def test_tables_that_are_missing_are_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as error:
        opacity_films(tmp_path)
    assert error.value.code == "training-table"


def test_the_experiment_asks_for_its_films(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as error:
        NIH_OPACITY.run(Setting(Budget.SLICE, 0, tmp_path))
    assert error.value.code == "no-films"


@pytest.mark.parametrize(
    ("value", "told"),
    [(0.81, "was reached."), (0.7996, "was not reached, by less than .001."), (0.78, "was not reached.")],
)
def test_the_page_judges_the_networks_that_saw_the_most(value: float, told: str) -> None:
    figures = json.loads(RECORD.read_text())["figures"]
    figures["finer"]["figures"]["rsna"] = {"value": value, "low": 0.7, "high": 0.9}
    (line,) = (each for each in NIH_OPACITY.page(figures).body.splitlines() if each.startswith("- AUC on readings"))
    assert line.endswith(f"the aim of .80 {told}")


def test_a_map_of_the_boxes_themselves_points_right(shared_data: Path) -> None:
    films = opacity_films(shared_data / "radiographs")
    maps = np.zeros((len(films), 160, 160), np.float32)
    for row, mask in zip(sorted(films.boxes), study.measure.box_masks(films), strict=True):
        maps[row] = mask
    figures = reader_figures(films, films.readings, maps, (study.measure.HALF,))
    assert figures["rsna"].value == figures["pointing"].value == 1.0
    assert figures["iou"].value > 0.95


@pytest.mark.parametrize("name", list(STEPS)[-2:])
def test_a_slice_of_the_study_writes_a_model_that_adds_up(
    name: str, shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if find_spec(IMAGENET) is None:
        pytest.skip("the ImageNet weights are not installed")
    monkeypatch.setattr(study, "STEPS", {name: STEPS[name]})
    plan = study.StudyPlan(shared_data / "radiographs", tmp_path, films=14, epochs=1, threads=1)
    figures, card = study.run_study(plan)
    assert NIH_OPACITY.page(figures).body.count("| ---") > 3
    folds = {path.name.split("-fold-")[0] for path in tmp_path.glob("outputs-*-fold-*.npz")}
    assert {name.endswith(f"-of-{study.MORE_FOLDS}") for name in folds} == {True, False}
    model = load_folder(tmp_path / "model")
    assert model.card == card
    assert model.card.backbone_options["stages"] == list(STEPS[name].stages)
    inputs = np.zeros((1, 1, 320, 320), np.float32)
    prediction = model.predict(inputs)
    assert prediction.logits[0, 0] == pytest.approx(prediction.maps[0, 0].mean() + prediction.biases[0], abs=1e-4)
