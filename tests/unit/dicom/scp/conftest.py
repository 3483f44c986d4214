"""A listening node and its owner."""

from __future__ import annotations

import gc
import warnings

import pytest

from medcam.dicom.network.scp import StorageScp
from medcam.dicom.network.scp_settings import ScpSettings

from .calling import Keeper


@pytest.fixture(autouse=True, scope="module")
def _callers_are_collected_here():
    """Collects what the callers left open, so that no later module is blamed for it."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture
def keeper():
    return Keeper()


@pytest.fixture
def listen(keeper):
    """Starts a listener with options and returns it."""
    started = []

    def start(**options) -> StorageScp:
        scp = StorageScp(ScpSettings(aet="NODE", port=0, **options), keeper)
        scp.start()
        started.append(scp)
        return scp

    yield start
    for scp in started:
        scp.stop()
