"""A model that is finished once for all tests of this folder."""

from __future__ import annotations

import numpy as np
import pytest
from finished_model import CONFIG, COUNT, NAMES, SIDE, Finished, before, labelled, parameters

from medcam.core.card import InputRecipe, ModelCard
from medcam.models.preprocess import prepare_array
from medcam.models.training.films import Films
from medcam.models.training.network import new_classifier
from medcam.phantom import render, sample_case
from medcam.service.explanations.finding_codes import finding_cards
from medcam.service.training.finish_model import finish_model


@pytest.fixture(scope="session")
def images() -> np.ndarray:
    recipe = InputRecipe(SIDE, SIDE)
    films = [
        prepare_array(render(sample_case(31, i), SIDE, truth=False).linear, recipe).values[0] for i in range(COUNT)
    ]
    return np.stack(films).astype(np.float16)


@pytest.fixture(scope="session")
def blank() -> ModelCard:
    return ModelCard(
        name="tiny",
        version="1",
        findings=finding_cards(NAMES),
        input=InputRecipe(SIDE, SIDE),
        backbone=CONFIG.backbone,
        backbone_options=CONFIG.backbone_options,
        layer="layer4",
        training_data="phantoms",
    )


@pytest.fixture(scope="session")
def finished(images: np.ndarray, blank: ModelCard, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    folder = tmp_path_factory.mktemp("runs") / "tiny"
    network = new_classifier(CONFIG, len(NAMES)).eval()
    train, calibration = labelled(network, images, 1000), labelled(network, images, 5000)
    maps, logits = before(network, images)
    card = finish_model(network, parameters(), blank, train, calibration, folder)
    return Finished(folder, card, network, train, calibration, maps, logits)


@pytest.fixture(scope="session")
def halves(finished: Finished) -> tuple[Films, Films]:
    """The half of the calibration patients that sets thresholds, and the half that gives figures."""
    return finished.calibration.split(0.5, seed=0)
