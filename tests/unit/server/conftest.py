"""The API over an empty store, with a worker that works when it is told to."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from fastapi.testclient import TestClient

from medcam.core.card import InputRecipe, ModelCard
from medcam.core.protocols import Classifier
from medcam.core.radiograph import View
from medcam.dicom import DxAttributes, save_dx
from medcam.dicom.sandbox.pool import ReaderPool
from medcam.models.classifier import build_classifier
from medcam.models.files import save_model
from medcam.models.registry import load_model
from medcam.phantom import FINDINGS
from medcam.server.api.app import make_app
from medcam.server.api.context import ApiContext
from medcam.server.api.settings import ApiSettings
from medcam.service.explanations.finding_codes import finding_cards
from medcam.service.jobs.batching import BatchingClassifier
from medcam.service.jobs.worker import Task, Worker
from medcam.service.studies.opened import OpenedStore, open_studies
from medcam.service.submissions.box import SubmissionBox, SubmissionLimits
from medcam.service.submissions.explaining import LoadedModels, SubmissionExplainer
from medcam.service.submissions.submission import EXPLAIN

_CARD = ModelCard(
    name="tiny",
    version="0.1",
    findings=tuple(replace(card, map_scale=0.5, threshold=0.01) for card in finding_cards(FINDINGS)),
    input=InputRecipe(64, 64),
    backbone="resnet",
    backbone_options={"stride": 8, "layers": [1, 1, 1, 1], "block_inplanes": [8, 8, 8, 8]},
    layer="layer4",
)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    """A random network that finds everything everywhere."""
    folder = tmp_path_factory.mktemp("api") / "tiny"
    with torch.random.fork_rng():
        torch.manual_seed(3)
        save_model(folder, build_classifier(_CARD), _CARD)
    return load_model(folder)


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A DICOM file that says that it is a frontal chest film."""
    path = tmp_path_factory.mktemp("api-film") / "film.dcm"
    pixels = np.random.default_rng(5).integers(0, 4096, (96, 80)).astype(np.uint16)
    save_dx(
        path,
        pixels,
        DxAttributes(
            seed="api",
            patient_name="PHANTOM^NEVERSHOWN",
            sex="F",
            age_years=50,
            view=View.PA,
            bits_stored=12,
            inverse=False,
            spacing_mm=(0.2, 0.2),
            window=(2048.0, 4096.0),
        ),
    )
    return path.read_bytes()


@pytest.fixture(scope="session")
def readers() -> Iterator[ReaderPool]:
    with ReaderPool(1) as pool:
        yield pool


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[OpenedStore]:
    store = open_studies(tmp_path / "store")
    yield store
    store.close()


@pytest.fixture
def api(opened: OpenedStore, readers: ReaderPool) -> Callable[..., TestClient]:
    """Makes a client of the API; options of `ApiSettings`, of `SubmissionLimits`, and `needed` for tokens."""

    def make(*, needed: bool = False, limits: dict[str, int] | None = None, **options: object) -> TestClient:
        settings = ApiSettings(limits=SubmissionLimits(**(limits or {})), **options)
        box = SubmissionBox.of(opened.address, opened.jobs, settings.limits)
        app = make_app(ApiContext(settings, opened, box, readers, needed))
        return TestClient(app, base_url="http://127.0.0.1:8600", raise_server_exceptions=False)

    return make


@pytest.fixture
def work(opened: OpenedStore, readers: ReaderPool, tiny: Classifier) -> Callable[[], bool]:
    """Does the job that is due; False where none is."""
    box = SubmissionBox.of(opened.address, opened.jobs)
    shared = BatchingClassifier(tiny, others=lambda: 1)
    explainer = SubmissionExplainer(box, LoadedModels(lambda _name: shared), readers)
    worker = Worker(opened.jobs, {EXPLAIN: Task(explainer)}, "test")
    return lambda: worker.step(threading.Event())
