"""A model that knows nothing, for tests of what is done with one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from medcam.core.card import InputRecipe, ModelCard
from medcam.models.classifier import build_classifier
from medcam.models.files import save_model
from medcam.service.explanations.finding_codes import finding_cards


@pytest.fixture(scope="session")
def save_tiny_model() -> Callable[..., Path]:
    """Saves a random network for findings of the caller's choice into a folder, and returns the folder."""

    def save(folder: Path, *findings: str) -> Path:
        card = ModelCard(
            name="tiny",
            version="1",
            findings=finding_cards(findings),
            input=InputRecipe(64, 64),
            backbone="resnet",
            backbone_options={"stride": 8, "layers": [1, 1, 1, 1], "block_inplanes": [8, 8, 8, 8]},
            layer="layer4",
        )
        with torch.random.fork_rng():
            torch.manual_seed(1)
            save_model(folder, build_classifier(card), card)
        return folder

    return save
