"""`medcam train` on one's own films: from each layout to a model that loads, with a card that says all of it."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from skimage.io import imsave
from typer.testing import CliRunner

from medcam.cli.main import app
from medcam.core.card import FindingCard, InputRecipe, ModelCard
from medcam.core.errors import UsageError
from medcam.models.cards import read_card
from medcam.models.classifier import build_classifier
from medcam.models.files import load_folder, save_model
from medcam.models.registry import load_model

CONFIG = {
    "backbone_options": {"stride": 8, "layers": [1, 1, 1, 1], "block_inplanes": [8, 8, 8, 8]},
    "augmentation": {"shift": 0.0, "turn": 0.0, "zoom": 0.0, "flip": 0.0},
    "batch": 8,
    "learning_rate": 0.003,
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty pictures of thirty patients: every other one is brighter on one side, and a box says where on some."""
    folder = tmp_path_factory.mktemp("own")
    rows, boxes = [], []
    for number in range(60):
        grey = np.random.default_rng(number).normal(90.0, 12.0, (64, 64))
        if number % 2:
            grey[16:48, 32:56] += 80.0
            boxes.append([f"{number}.png", "Opacity", 32, 16, 24, 32])
        imsave(folder / f"{number}.png", np.clip(grey, 0, 255).astype(np.uint8), check_contrast=False)
        rows.append([f"{number}.png", number // 2, number % 2, -1 if number % 5 == 0 else number % 2])
    for name, columns, lines in (
        ("labels.csv", ["image", "patient_id", "Opacity", "Doubtful"], rows),
        ("places.csv", ["image", "finding", "x", "y", "width", "height"], boxes),
    ):
        with (folder / name).open("w", newline="") as file:
            csv.writer(file).writerows([columns, *lines])
    (folder / "config.json").write_text(json.dumps(CONFIG))
    return folder


@pytest.fixture(autouse=True)
def own_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A data folder of the test alone."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))


def train(data: Path, out: Path, *words: str) -> None:
    common = ["train", "--data", str(data), "--out", str(out), "--size", "64", "--threads", "1"]
    result = CliRunner().invoke(app, [*common, *words])
    assert result.exit_code == 0, (result.output, result.exception)


def refused(*words: str) -> str:
    result = CliRunner().invoke(app, ["train", *words])
    assert isinstance(result.exception, UsageError), (words, result.output)
    return result.exception.code


def test_a_model_is_trained_measured_carded_and_kept(data: Path, tmp_path: Path) -> None:
    words = ["--config", str(data / "config.json"), "--epochs", "6", "--places", str(data / "places.csv")]
    words += ["--boxes", "learn", "--finding", "Opacity", "--as", "mine", "--licence", "our own films"]
    train(data, tmp_path / "run", *words)
    card = load_model("mine").card
    assert card.name == "mine"
    assert card.weights_sha256 == load_folder(tmp_path / "run").card.weights_sha256
    opacity = card.findings[0]
    assert {"auc", "sensitivity", "specificity", "pointing", "iou"} <= set(opacity.performance)
    assert opacity.performance["auc"].value > 0.8
    assert "60 films of 30 patients in the layout table" in card.training_data
    assert "Places were marked for 30 findings" in card.training_data
    assert card.training_licence == "our own films"
    assert "--boxes learn" in card.training_command
    assert "--seed 0" in card.training_command
    with pytest.raises(AssertionError, match="is taken"):
        train(data, tmp_path / "other", *words)
    assert not (tmp_path / "other").exists()


def test_the_same_seed_gives_the_same_weights(data: Path, tmp_path: Path) -> None:
    digests = []
    for run, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        words = ["--config", str(data / "config.json"), "--epochs", "1", "--seed", seed]
        train(data, tmp_path / run, *words, "--uncertain", "u-ones")
        digests.append(read_card(tmp_path / run).weights_sha256)
    assert digests[0] == digests[1] != digests[2]


def test_fine_tuning_goes_on_from_the_shipped_model(data: Path, tmp_path: Path) -> None:
    train(data, tmp_path / "run", "--from", "phantom", "--freeze", "--epochs", "1", "--finding", "Opacity")
    card, start = read_card(tmp_path / "run"), read_card("phantom")
    assert (card.backbone, card.head) == (start.backbone, start.head)
    assert card.input.height == 64
    assert start.weights_sha256 in card.training_data
    assert start.training_licence in card.training_licence
    ours, theirs = load_folder(tmp_path / "run").network, load_model("phantom").network
    for (name, one), other in zip(
        ours.backbone.state_dict().items(), theirs.backbone.state_dict().values(), strict=True
    ):
        if one.dtype.is_floating_point:
            np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=2e-3, atol=1e-5, err_msg=name)


def test_a_model_from_elsewhere_keeps_its_input(data: Path, tmp_path: Path) -> None:
    """Brightness from -1024 to 1024, black beyond the film's edge, a second channel of ones."""
    recipe = InputRecipe(64, 64, intensity="display", fit="crop", black=-1024.0, white=1024.0)
    options = {"stride": 16, "init_features": 8, "growth_rate": 4, "block_config": [1, 1, 1], "constant_channel": True}
    findings = (FindingCard("Opacity"), FindingCard("Mass"))
    card = ModelCard("foreign", "1", findings, recipe, "densenet", options, weights_licence="Apache-2.0")
    save_model(tmp_path / "foreign", build_classifier(card), card, half=False)
    words = ["--from", str(tmp_path / "foreign"), "--epochs", "1", "--finding", "Opacity"]
    train(data, tmp_path / "run", *words)
    tuned = load_model(tmp_path / "run").card
    assert (tuned.input, tuned.backbone, tuned.backbone_options["constant_channel"]) == (recipe, "densenet", True)
    assert tuned.finding_names == ("Opacity",)
    assert "Apache-2.0" in tuned.training_licence


def test_calls_that_cannot_be_are_refused_before_anything_is_made(data: Path, tmp_path: Path) -> None:
    source, out = ["--data", str(data)], ["--out", str(tmp_path / "run")]
    assert refused("--data", str(tmp_path / "nowhere"), *out) == "no-such-source"
    assert refused(*source, *out, "--uncertain", "u-maybe") == "usage"
    assert refused(*source, *out, "--boxes", "some") == "usage"
    assert refused(*source, *out, "--layout", "hospital") == "training-layout"
    assert refused(*source, *out, "--size", "32") == "usage"
    assert refused(*source, *out, "--freeze") == "usage"
    assert refused(*source, *out, "--as", "phantom") == "model-name"
    assert refused("--data", "phantom", *out, "--boxes", "learn") == "usage"
    config = ["--config", str(data / "config.json")]
    assert refused(*source, *out, "--from", "phantom", *config) == "training-config"
    assert not (tmp_path / "run").exists()


def test_learning_from_boxes_needs_boxes(data: Path, tmp_path: Path) -> None:
    words = ["--data", str(data), "--out", str(tmp_path / "run"), "--size", "64", "--boxes", "learn"]
    assert refused(*words) == "training-config"
    elsewhere = tmp_path / "elsewhere.csv"
    elsewhere.write_text("image,finding,x,y,width,height\nother.png,Opacity,1,1,5,5\n")
    assert refused(*words[:-2], "--places", str(elsewhere)) == "training-config"
    (tmp_path / "weighted.json").write_text('{"objective": {"boxes": 2.0}}')
    assert refused(*words[:-2], "--config", str(tmp_path / "weighted.json")) == "training-config"


def test_the_configuration_shown_is_that_of_the_model_to_go_on_from() -> None:
    words = ["train", "--data", "films", "--from", "phantom", "--show-config"]
    shown = json.loads(CliRunner().invoke(app, words).stdout)
    fresh = json.loads(CliRunner().invoke(app, ["train", "--data", "films", "--show-config"]).stdout)
    assert shown["learning_rate"] == fresh["learning_rate"] / 4
    assert shown["backbone"] == read_card("phantom").backbone
