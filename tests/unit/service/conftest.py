"""A tiny random model and a few small phantoms, shared by the tests of the use cases."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from medcam.core.card import InputRecipe, ModelCard, RegionRule, RegionRuleKind
from medcam.core.protocols import Classifier
from medcam.core.radiograph import View
from medcam.dicom import DxAttributes, save_dx
from medcam.models.classifier import GapClassifier, build_classifier
from medcam.models.files import save_model
from medcam.models.gate import Gate
from medcam.models.registry import load_model
from medcam.phantom import FINDINGS, Phantom, render, sample_case
from medcam.service.explain import explain
from medcam.service.explanations.explained import ExplainedRadiograph
from medcam.service.explanations.finding_codes import finding_cards

SIDE = 64
"""Of the model's input; its maps have 8 x 8 cells."""
FILM = 160
"""Side of the phantoms."""
FILMS = 3
SEED = 11

_CALIBRATED = RegionRule("calibrated", RegionRuleKind.PEAK_FRACTION, 0.5, largest_only=False, smallest_share=0.05)
_CARD = ModelCard(
    name="tiny",
    version="0.1",
    findings=tuple(replace(card, region_rule=_CALIBRATED, map_scale=0.5) for card in finding_cards(FINDINGS)),
    input=InputRecipe(SIDE, SIDE),
    backbone="resnet",
    backbone_options={"stride": 8, "layers": [1, 1, 1, 1], "block_inplanes": [8, 8, 8, 8]},
    layer="layer4",
)


@pytest.fixture(scope="session")
def tiny_network() -> tuple[GapClassifier, ModelCard]:
    """A random network that knows nothing, and its card: no gate, all findings of phantoms."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return build_classifier(_CARD), _CARD


@pytest.fixture(scope="session")
def tiny_model_folder(tiny_network: tuple[GapClassifier, ModelCard], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the tiny model."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    save_model(folder, *tiny_network)
    return folder


@pytest.fixture(scope="session")
def strict_model_folder(
    tiny_network: tuple[GapClassifier, ModelCard], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The same network with a gate that flags every film as out of distribution."""
    folder = tmp_path_factory.mktemp("models") / "strict"
    network, card = tiny_network
    channels = network.backbone.out_channels
    gate = Gate(np.zeros(channels, dtype=np.float32), np.eye(channels, dtype=np.float32))
    save_model(folder, network, replace(card, name="strict", out_of_distribution_threshold=1e-6), gate)
    return folder


@pytest.fixture(scope="session")
def tiny_model(tiny_model_folder: Path) -> Classifier:
    """The tiny model, loaded."""
    return load_model(tiny_model_folder)


@pytest.fixture(scope="session")
def strict_model(strict_model_folder: Path) -> Classifier:
    """The tiny model that flags everything, loaded."""
    return load_model(strict_model_folder)


@pytest.fixture(scope="session")
def phantoms() -> tuple[Phantom, ...]:
    """Small phantoms with their truth, in the order of the files in `phantom_dicom`."""
    return tuple(render(sample_case(SEED, index), FILM) for index in range(FILMS))


@pytest.fixture(scope="session")
def phantom_dicom(phantoms: tuple[Phantom, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the phantoms as DICOM files `film-0.dcm` and so on: three studies."""
    folder = tmp_path_factory.mktemp("films")
    for index, phantom in enumerate(phantoms):
        save_dx(folder / f"film-{index}.dcm", phantom.stored.pixels, _attributes(phantom, f"service-test-{index}"))
    return folder


@pytest.fixture(scope="session")
def explained(phantom_dicom: Path, tiny_model: Classifier) -> ExplainedRadiograph:
    """The first phantom, explained by the tiny model, with zones found by registration."""
    return explain(phantom_dicom / "film-0.dcm", tiny_model)


def _attributes(phantom: Phantom, seed: str) -> DxAttributes:
    top = float(2**phantom.bits_stored)
    return DxAttributes(
        seed=seed,
        patient_name="PHANTOM^NEVERSHOWN",
        sex=phantom.sex,
        age_years=phantom.age_years,
        view=View(phantom.view),
        bits_stored=phantom.bits_stored,
        inverse=phantom.photometric == "MONOCHROME1",
        spacing_mm=(phantom.pixel_spacing, phantom.pixel_spacing),
        window=(top / 2.0, top),
    )
