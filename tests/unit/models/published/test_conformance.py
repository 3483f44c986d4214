"""Published architectures, with weights and numbers made by their own packages: the same to 1e-4, on every engine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from medcam.core.card import FindingCard
from medcam.models.engines.choose import with_engine
from medcam.models.files import load_folder, save_model
from medcam.models.loaded import LoadedModel
from medcam.models.published.build import Meaning, build_model
from medcam.models.published.checkpoint import read_checkpoint
from medcam.models.published.layouts import IMAGENET, guess_layout, map_checkpoint

TOLERANCE = 1e-4
Load = Callable[[str], LoadedModel]


@pytest.fixture(scope="module")
def load(conformance: Path, tmp_path_factory: pytest.TempPathFactory) -> Load:
    """A checkpoint as a model that was saved as safetensors and loaded again."""

    def through_a_folder(file: str) -> LoadedModel:
        checkpoint = read_checkpoint(conformance / file)
        mapped = map_checkpoint(checkpoint)
        layout = guess_layout(checkpoint, mapped)
        cards = [FindingCard(name) for name in layout.findings]
        meaning = Meaning(cards, layout.side, layout.mean, layout.std, about={"name": "x", "version": "1"})
        folder = tmp_path_factory.mktemp("model")
        save_model(folder, *build_model(mapped, checkpoint.kinds, meaning), half=False)
        return load_folder(folder)

    return through_a_folder


def far(found: np.ndarray, expected: Path) -> float:
    return float(np.abs(found - np.load(expected)).max())


@pytest.mark.parametrize("engine", [None, "openvino:fp32"])
def test_torchxrayvision(engine: str | None, load: Load, conformance: Path) -> None:
    model = load("xrv-densenet121-random.pt")
    model = model if engine is None else with_engine(model, engine)
    assert model.engine.precision == "fp32"
    assert (model.engine.name == "openvino") == (engine is not None)
    images = np.load(conformance / "input.npy")

    prediction = model.predict(images)
    output, _ = model.read(model.checked(images))

    assert far(prediction.logits, conformance / "logits.npy") < TOLERANCE
    assert far(prediction.probabilities, conformance / "probabilities.npy") < TOLERANCE
    assert far(prediction.maps, conformance / "cam.npy") < TOLERANCE
    assert far(output.features.detach().numpy(), conformance / "features.npy") < TOLERANCE
    assert np.allclose(prediction.maps.mean(axis=(2, 3)) + prediction.biases, prediction.logits, atol=1e-5)
    assert (model.card.backbone, model.card.head, len(model.card.findings)) == ("densenet121", "gap", 18)


@pytest.mark.parametrize("engine", [None, "openvino:fp32"])
def test_chexnet_with_its_three_channels_folded_into_one(engine: str | None, load: Load, conformance: Path) -> None:
    model = load("chexnet-densenet121-random.pth.tar")
    model = model if engine is None else with_engine(model, engine)
    (mean, *_), (std, *_) = IMAGENET
    grey = np.load(conformance / "chexnet-input.npy")[:, :1] * std + mean
    recipe = model.card.input

    prediction = model.predict((recipe.black + grey * (recipe.white - recipe.black)).astype(np.float32))

    assert recipe.channels == 1
    assert far(prediction.logits, conformance / "chexnet-logits.npy") < TOLERANCE
    assert far(prediction.probabilities, conformance / "chexnet-probabilities.npy") < TOLERANCE


def test_the_older_file_layout(load: Load, conformance: Path) -> None:
    model = load("xrv-densenet-small-legacy.pt")

    prediction = model.predict(np.load(conformance / "input.npy"))

    assert far(prediction.logits, conformance / "small-legacy-logits.npy") < TOLERANCE
    assert model.card.backbone == "densenet"


def test_nothing_of_torchxrayvision_is_imported(load: Load) -> None:
    import sys

    load("xrv-densenet-small-legacy.pt")

    assert not {name for name in sys.modules if name.startswith("torchxrayvision")}
    assert torch.is_grad_enabled()
