"""Recipes: the shipped one builds, and a JSON file changes what it names and nothing else."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest
import torch

from medcam.core.errors import UsageError
from medcam.models.training.config import Extent, TrainingConfig
from medcam.models.training.network import new_classifier
from medcam.phantom import FINDINGS
from medcam.service.training.recipes import FOLDER_RECIPE, PHANTOM_EXTENTS, PHANTOM_RECIPE, configured

BOTH = pytest.mark.parametrize("recipe", [PHANTOM_RECIPE, FOLDER_RECIPE], ids=["phantom", "folder"])


def written(tmp_path: Path, fields: object) -> Path:
    path = tmp_path / "own.json"
    path.write_text(json.dumps(fields), encoding="utf-8")
    return path


def test_every_finding_of_phantoms_has_an_extent() -> None:
    assert set(PHANTOM_EXTENTS) == set(FINDINGS)
    for name in FINDINGS:
        assert PHANTOM_RECIPE.objective.extent(name) == PHANTOM_EXTENTS[name] != Extent()
    assert PHANTOM_EXTENTS["Nodule"].largest < PHANTOM_EXTENTS["Mass"].largest < PHANTOM_EXTENTS["Cardiomegaly"].largest


def test_ones_own_films_start_from_wide_extents() -> None:
    assert FOLDER_RECIPE.objective.extent("Nodule") == Extent()
    assert FOLDER_RECIPE.objective.positive_weight is None
    assert FOLDER_RECIPE.patience > 0


@BOTH
def test_a_recipe_builds_a_network_small_enough_to_ship(recipe: TrainingConfig) -> None:
    network = new_classifier(recipe, len(FINDINGS)).eval()
    with torch.inference_mode():
        output = network(torch.zeros(1, 1, 128, 128))
    # On 256 px that is 32 cells per side or more.
    assert output.maps.shape[2] >= 16
    assert network.head.ledger
    assert 2 * sum(value.numel() for value in network.state_dict().values()) < 16e6


@BOTH
def test_no_file_changes_nothing(recipe: TrainingConfig) -> None:
    assert configured(recipe, None) is recipe


@BOTH
def test_what_show_config_prints_is_a_configuration(recipe: TrainingConfig, tmp_path: Path) -> None:
    path = written(tmp_path, recipe.as_dict())
    assert configured(recipe, path) == recipe
    # Every field is in it: from another recipe it leads to the same.
    other = FOLDER_RECIPE if recipe is PHANTOM_RECIPE else PHANTOM_RECIPE
    from_other = configured(other, path)
    assert {**asdict(from_other), "objective": None} == {**asdict(recipe), "objective": None}
    assert from_other.objective.positive_weight == recipe.objective.positive_weight


def test_a_file_changes_what_it_names(tmp_path: Path) -> None:
    changed = configured(
        PHANTOM_RECIPE,
        written(
            tmp_path,
            {
                "epochs": 3,
                "objective": {"gap": 0.25, "extents": {"Nodule": {"smallest": 0.001, "largest": 0.02}}},
                "augmentation": {"flip": 0.0, "gamma": [0.9, 1.1]},
            },
        ),
    )
    assert changed.epochs == 3
    assert changed.objective.gap == 0.25
    assert changed.objective.extent("Nodule") == Extent(0.001, 0.02)
    assert changed.objective.extent("Mass") == PHANTOM_EXTENTS["Mass"]
    assert (changed.augmentation.flip, changed.augmentation.gamma) == (0.0, (0.9, 1.1))
    same = configured(changed, written(tmp_path, PHANTOM_RECIPE.as_dict()))
    assert same == PHANTOM_RECIPE


def test_the_recipe_itself_stays_as_it_is(tmp_path: Path) -> None:
    before = json.dumps(PHANTOM_RECIPE.as_dict())
    own = {"objective": {"extents": {"Nodule": {"smallest": 0.5, "largest": 0.5}}}, "backbone_options": {"stride": 32}}
    configured(PHANTOM_RECIPE, written(tmp_path, own))
    assert json.dumps(PHANTOM_RECIPE.as_dict()) == before


BAD_FIELDS = [
    [],
    "text",
    {"unheard_of": 1},
    {"epochs": 0},
    {"epochs": "many"},
    {"epochs": 2.5},
    {"epochs": True},
    {"learning_rate": True},
    {"batch": 2.5},
    {"seed": "x"},
    {"learning_rate": -1.0},
    {"learning_rate": "high"},
    {"threads": "all"},
    {"backbone": 3},
    {"backbone_options": 5},
    {"head_options": "wide"},
    {"objective": 5},
    {"objective": {"unheard_of": 1.0}},
    {"objective": {"gap": "much"}},
    {"objective": {"extents": [1]}},
    {"objective": {"extents": {"Nodule": 0.01}}},
    {"objective": {"extents": {"Nodule": {"smallest": 0.2, "largest": 0.1}}}},
    {"objective": {"extents": {"Nodule": {"tiniest": 0.2}}}},
    {"augmentation": {"gamma": 5}},
    {"augmentation": {"gamma": [1.0]}},
    {"augmentation": {"shift": "far"}},
    {"augmentation": None},
]


@pytest.mark.parametrize("fields", BAD_FIELDS, ids=json.dumps)
def test_a_field_that_is_wrong_is_refused(tmp_path: Path, fields: object) -> None:
    with pytest.raises(UsageError) as caught:
        configured(PHANTOM_RECIPE, written(tmp_path, fields))
    assert caught.value.code == "training-config"
    assert "--show-config" in caught.value.next_step


@pytest.mark.parametrize("data", [b"", b"{", b"\xff\xfe", b"epochs = 3"])
def test_what_is_no_json_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "own.json"
    path.write_bytes(data)
    for wrong in (path, tmp_path, tmp_path / "missing.json"):
        with pytest.raises(UsageError) as caught:
            configured(PHANTOM_RECIPE, wrong)
        assert caught.value.code == "training-config"


def test_whole_numbers_stand_for_fractions(tmp_path: Path) -> None:
    fields = {"learning_rate": 1, "objective": {"gap": 2, "positive_weight": None}, "augmentation": {"turn": 0}}
    changed = configured(PHANTOM_RECIPE, written(tmp_path, fields))
    assert (changed.learning_rate, changed.objective.gap, changed.augmentation.turn) == (1, 2, 0)
    assert changed.objective.positive_weight is None
    weighted = configured(FOLDER_RECIPE, written(tmp_path, {"objective": {"positive_weight": 3.5}}))
    assert weighted.objective.positive_weight == 3.5
