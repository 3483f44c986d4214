"""Nodes without their doors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from medcam.dicom.network.scp_settings import ScpSettings
from medcam.service.node.core import NodeCore
from medcam.service.node.data_folder import DataFolder
from medcam.service.node.options import NodeOptions
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
