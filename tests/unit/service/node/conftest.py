"""Nodes without their doors; films, a tiny model and a destination in memory for those that shall work."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from node_objects import film_object
from node_work import AT_ONCE, PACS, Destination

from medcam.dicom.network.destination import parse_destination
from medcam.dicom.network.scp_settings import ScpSettings
from medcam.dicom.sandbox.pool import ReaderPool
from medcam.models.registry import load_model
from medcam.service.annotate.options import AnnotateOptions
from medcam.service.node import core as core_module
from medcam.service.node.core import NodeCore
from medcam.service.node.data_folder import DataFolder
from medcam.service.node.options import NODE_OUTPUTS, NodeOptions
from medcam.service.node.sending import FilmSender
from medcam.store import open_store, sqlite_url


@pytest.fixture
def make_core(tmp_path: Path) -> Iterator[Callable[..., NodeCore]]:
    """Makes a node's core with options, on one data folder."""
    stores = []

    def make(**options) -> NodeCore:
        folder = DataFolder(tmp_path / "node")
        folder.make()
        store = open_store(sqlite_url(folder.database))
        stores.append(store)
        return NodeCore(NodeOptions(ScpSettings("NODE", 0), folder.path, **{"quiet_s": 0.0, **options}), folder, store)

    yield make
    for store in stores:
        store.close()


@pytest.fixture
def core(make_core: Callable[..., NodeCore]) -> NodeCore:
    return make_core()


@pytest.fixture
def pacs(monkeypatch):
    """The destination that a node sends to instead of the network."""
    made = Destination()

    def sender(*args):
        return FilmSender(*args, deliver=made)

    monkeypatch.setattr(core_module, "FilmSender", sender)
    return made


@pytest.fixture(scope="module")
def readers():
    """Sandboxed readers for all nodes of a file of tests."""
    with ReaderPool(2) as pool:
        yield pool


@pytest.fixture
def options(tiny_model_folder):
    """Of a node with a model that sends what it makes."""
    return {
        "annotate": AnnotateOptions(model=str(tiny_model_folder), outputs=NODE_OUTPUTS, workers=2),
        "send_to": (parse_destination(PACS),),
        "sending": AT_ONCE,
    }


@pytest.fixture
def films(tmp_path):
    """Two films, each of a study of its own."""
    return [film_object(tmp_path / "films", seed) for seed in ("one", "two")]


@pytest.fixture
def work(readers):
    """Does all jobs that are due."""

    def run(core):
        workers = core.workers(load_model(core.options.annotate.model), readers)
        stop = threading.Event()
        while sum(worker.step(stop) for worker in workers):
            pass

    return run
