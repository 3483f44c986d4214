"""A tiny model in a folder, whole and sound."""

from __future__ import annotations

from pathlib import Path

import pytest

from medcam.models.classifier import GapClassifier
from medcam.models.files import save_model
from medcam.models.gate import Gate, fit_gate
from medcam.models.loaded import LoadedModel

from ..tiny import noise, tiny_card, tiny_network


@pytest.fixture
def network() -> GapClassifier:
    return tiny_network()


@pytest.fixture
def gate(network: GapClassifier) -> Gate:
    return fit_gate(LoadedModel(network, tiny_card()).predict(noise(40)).features)


@pytest.fixture
def folder(tmp_path: Path, network: GapClassifier, gate: Gate) -> Path:
    """A whole and sound model."""
    save_model(tmp_path / "tiny", network, tiny_card(), gate)
    return tmp_path / "tiny"
