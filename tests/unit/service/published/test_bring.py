"""Checkpoints of others brought in: a model with a card, or a refusal that says what to do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from plain_networks import PlainDenseNet, PlainResNet, lively
from torch import nn

from medcam.models.cards import read_card
from medcam.models.known import user_folder
from medcam.models.published.layouts import XRAYVISION
from medcam.models.registry import load_model
from medcam.service.explain import explain
from medcam.service.published.bring import NOT_MEASURED, Request, import_model

from .checks import SIDE, code, images, near


def test_a_checkpoint_becomes_a_model_with_a_card(file: Path, network: nn.Module) -> None:
    card = import_model(file, Request("theirs", "torchxrayvision", side=SIDE))

    model = load_model("theirs")
    with torch.inference_mode():
        expected = network(torch.from_numpy(images())).numpy()
    assert near(model.predict(images()).logits, expected)
    assert model.card == card == read_card("theirs")
    assert card.finding_names == XRAYVISION
    assert (card.input.black, card.input.white, card.input.fit) == (-1024.0, 1024.0, "crop")
    assert "theirs.pt, SHA-256 " in card.origin
    assert NOT_MEASURED in card.limits
    assert card.findings[0].code is not None
    assert {path.name for path in (user_folder() / "theirs").iterdir()} == {"card.json", "weights.safetensors"}


def test_a_film_is_explained_by_an_imported_model(file: Path) -> None:
    import_model(file, Request("theirs", side=SIDE))

    explanation = explain(np.random.default_rng(0).random((90, 80)).astype(np.float32), "theirs")

    assert len(explanation.findings) == 18
    finding = explanation.findings[0]
    assert abs(finding.map.values.mean() + finding.map.bias - finding.logit) < 1e-4


def test_names_that_cannot_be_used(file: Path) -> None:
    import_model(file, Request("theirs", side=SIDE))

    for name in ("theirs", "phantom", "", ".hidden", "a/b", "../a", "a+b", "x" * 65, " a", "\n"):
        assert code(import_model, file, Request(name, side=SIDE)) == "model-name", name
    assert import_model(file, Request("theirs", side=SIDE, replace=True)).name == "theirs"


def test_layouts_that_cannot_be_used(file: Path, tmp_path: Path) -> None:
    assert code(import_model, file, Request("a", "other")) == "unknown-import-layout"
    assert code(import_model, file, Request("a", "torchvision")) == "checkpoint-findings"
    assert code(import_model, file, Request("a", "chexnet")) == "checkpoint-findings"
    assert code(import_model, tmp_path, Request("a")) == "unknown-checkpoint"
    assert not user_folder().exists()


def test_outputs_are_named_by_hand(tmp_path: Path) -> None:
    torch.save({"state_dict": lively(PlainResNet(3, 3, (1, 1, 1, 1))).state_dict()}, tmp_path / "a.pt")

    card = import_model(tmp_path / "a.pt", Request("mine", "torchvision", ("Nodule", "-", "Mass"), SIDE))

    assert card.finding_names == ("Nodule", "Mass")
    assert card.backbone_options["constant_channel"] is True


def test_a_model_without_exact_maps_is_explained_by_another_method(tmp_path: Path) -> None:
    theirs = PlainDenseNet(1, 2)
    theirs.classifier = nn.Sequential(nn.Linear(theirs.classifier.in_features, 5), nn.ReLU(), nn.Linear(5, 2))
    torch.save(lively(theirs).state_dict(), tmp_path / "a.pt")
    request = Request("mlp", "torchxrayvision", ("Nodule", "Mass"), SIDE)

    assert code(import_model, tmp_path / "a.pt", request) == "no-gap-tail"
    card = import_model(tmp_path / "a.pt", replace(request, activation="relu"))
    explanation = explain(np.random.default_rng(0).random((70, 70)).astype(np.float32), "mlp")

    assert card.head == "none"
    assert explanation.method == "hirescam"
    assert explanation.findings[0].map.values.size > 1
    assert explanation.findings[0].evidence is None
    grad = explain(np.random.default_rng(0).random((70, 70)).astype(np.float32), "mlp", method="grad-cam")
    assert grad.method == "grad-cam"


def test_a_pipe_is_no_checkpoint(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "pipe")

    assert code(import_model, tmp_path / "pipe", Request("a")) == "unknown-checkpoint"
