"""A model that knows nothing, and servers that are real."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from medcam.core.card import InputRecipe, ModelCard
from medcam.models.classifier import build_classifier
from medcam.models.files import save_model
from medcam.service.explanations.finding_codes import finding_cards

from .servers.certificates import Certificates, make_certificates
from .servers.dcmtk import StoreScp, running_storescp
from .servers.orthanc import PLUGIN, Orthanc, running_orthanc


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


@pytest.fixture(scope="session")
def orthanc_server(require_tool: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    """One Orthanc for all tests; `orthanc` gives it empty."""
    program = require_tool("Orthanc")
    if not PLUGIN.is_file():
        require_tool(str(PLUGIN))
    with running_orthanc(program, tmp_path_factory.mktemp("orthanc")) as server:
        yield server


@pytest.fixture
def orthanc(orthanc_server: Orthanc) -> Orthanc:
    """A running Orthanc with DICOMweb, empty."""
    orthanc_server.clear()
    return orthanc_server


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """An authority, a server on localhost and a client."""
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def storescp(require_tool: Callable[[str], str], tmp_path: Path) -> Iterator[StoreScp]:
    """A running storescp of dcmtk."""
    with running_storescp(require_tool("storescp"), tmp_path / "storescp") as server:
        yield server


@pytest.fixture
def tls_storescp(require_tool: Callable[[str], str], tmp_path: Path, certificates: Certificates) -> Iterator[StoreScp]:
    """A running storescp of dcmtk that talks TLS and asks callers for a certificate."""
    with running_storescp(require_tool("storescp"), tmp_path / "storescp", certificates=certificates) as server:
        yield server
