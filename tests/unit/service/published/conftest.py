"""A checkpoint of somebody else, and folders of its own for every test."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from plain_networks import PlainDenseNet, lively
from torch import nn


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def network() -> nn.Module:
    return lively(PlainDenseNet(1, 18))


@pytest.fixture
def file(network: nn.Module, tmp_path: Path) -> Path:
    torch.save(network.state_dict(), tmp_path / "theirs.pt", _use_new_zipfile_serialization=False)
    return tmp_path / "theirs.pt"
