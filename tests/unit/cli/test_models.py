"""`medcam models`: names and cards."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from medcam.core.card import FindingCard, InputRecipe, Interval, ModelCard
from medcam.core.codes import CodedConcept
from medcam.models.card_json import card_to_json
from medcam.models.known import user_folder

from .conftest import Ended

CARD = ModelCard(
    name="mine",
    version="1.2",
    findings=(
        FindingCard(
            "Nodule",
            CodedConcept("427359005", "SCT", "Solitary nodule of lung"),
            threshold=0.31,
            performance={"auc": Interval(0.97, 0.95, 0.98)},
        ),
        FindingCard("Mass"),
    ),
    input=InputRecipe(64, 64),
    backbone="resnet",
    weights_sha256="ab" * 32,
    training_command="medcam train --data phantom",
    limits=("Adults only.",),
    performance={"mean auc": Interval(0.98, 0.97, 0.99)},
    out_of_distribution_threshold=1.7,
)


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's own models: one whole, one damaged."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    for name, text in (("mine", card_to_json(CARD)), ("damaged", "{")):
        (user_folder() / name).mkdir(parents=True)
        (user_folder() / name / "card.json").write_text(text)
    return user_folder()


def test_list_names_models_and_tells_which_are_damaged(medcam: Callable[..., Ended], models: Path) -> None:
    ended = medcam("models", "list")
    assert ended.code == 0
    [mine] = [line for line in ended.out.splitlines() if "mine" in line]
    assert "1.2" in mine
    assert "Nodule, Mass" in mine
    [damaged] = [line for line in ended.out.splitlines() if " damaged " in line]
    assert "cannot be used" in damaged


def test_list_as_json(medcam: Callable[..., Ended], models: Path) -> None:
    listed = {entry["name"]: entry for entry in json.loads(medcam("models", "list", "--json").out)}
    assert listed["mine"]["findings"] == ["Nodule", "Mass"]
    assert listed["damaged"] == {"name": "damaged", "error": "broken-card"}


@pytest.mark.parametrize("by_path", [False, True])
def test_show_prints_the_card(medcam: Callable[..., Ended], models: Path, by_path: bool) -> None:
    ended = medcam("models", "show", models / "mine" if by_path else "mine")
    assert ended.code == 0
    for text in (
        "mine 1.2",
        "ab" * 32,
        "SCT 427359005",
        "0.310",
        "0.970 (0.950 to 0.980)",
        "mean auc: 0.980 (0.970 to 0.990)",
        "flagged over a score of 1.7",
        "medcam train --data phantom",
        "Not a medical device",
        "Adults only.",
    ):
        assert text in ended.out


def test_show_as_json_is_the_card_itself(medcam: Callable[..., Ended], models: Path) -> None:
    assert medcam("models", "show", "mine", "--json").out == card_to_json(CARD)


def test_show_of_an_unknown_model_is_a_wrong_call(medcam: Callable[..., Ended], models: Path) -> None:
    ended = medcam("models", "show", "nobody's")
    assert (ended.code, ended.out) == (2, "")
    assert "no-such-model" in ended.err


def test_show_of_a_damaged_model_ends_with_3(medcam: Callable[..., Ended], models: Path) -> None:
    assert medcam("models", "show", "damaged").code == 3
