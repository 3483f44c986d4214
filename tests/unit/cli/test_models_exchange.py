"""`medcam models import`, `fetch` and `export` as a user meets them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from file_server import serving
from plain_networks import PlainDenseNet, lively

from medcam.models.published import catalogue as module

from .conftest import Ended

Medcam = Callable[..., Ended]


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    torch.save(lively(PlainDenseNet(1, 18)).state_dict(), tmp_path / "theirs.pt")
    return tmp_path / "theirs.pt"


def test_a_file_is_imported_listed_shown_and_exported(medcam: Medcam, file: Path, tmp_path: Path) -> None:
    ended = medcam("models", "import", file, "--as", "theirs", "--layout", "torchxrayvision", "--size", 64)
    assert ended.code == 0, ended.err
    assert "Maps are exact." in ended.out
    assert "Limit: Nobody measured it here" in ended.out

    listed = {entry["name"]: entry for entry in json.loads(medcam("models", "list", "--json").out)}
    assert listed["theirs"]["origin"].startswith("theirs.pt, SHA-256")
    assert (listed["phantom"]["default"], listed["theirs"]["default"]) == (True, False)
    assert listed["phantom"]["measured_on"]
    assert "black -1024, white 1024" in medcam("models", "show", "theirs").out

    assert medcam("models", "export", "theirs", "--format", "safetensors").out == "theirs.safetensors\n"
    assert medcam("models", "import", "theirs.safetensors", "--as", "again").code == 0
    assert medcam("models", "export", "theirs", "--format", "safetensors").code == 2


def test_the_list_says_what_is_default_measured_and_published(medcam: Medcam) -> None:
    out = medcam("models", "list").out
    assert "phantom (default)" in out
    assert "mean-auc" in out
    assert "densenet121-res224-all, densenet121-res224-nih" in out


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("--as", "phantom"), 2, "model-name"),
        (("--as", "a", "--layout", "other"), 2, "unknown-import-layout"),
        (("--as", "a", "--finding", "Nodule"), 2, "checkpoint-findings"),
        (("--as", "a", "--mean", "black"), 2, "usage"),
    ],
)
def test_wrong_calls(medcam: Medcam, file: Path, words: tuple[str, ...], code: int, told: str) -> None:
    ended = medcam("models", "import", file, *words)
    assert (ended.code, ended.out) == (code, "")
    assert told in ended.err


def test_an_unknown_format_is_a_wrong_call(medcam: Medcam) -> None:
    assert medcam("models", "export", "phantom", "--format", "pickle").code == 2


def test_a_hostile_file_is_refused(medcam: Medcam, tmp_path: Path) -> None:
    (tmp_path / "evil.pt").write_bytes(b"\x80\x02cos\nsystem\nX\x05\x00\x00\x00touch\x85R.")
    ended = medcam("models", "import", "evil.pt", "--as", "a")
    assert ended.code == 3
    assert "unknown-checkpoint" in ended.err


def test_a_published_model_is_fetched(medcam: Medcam, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with serving(file.read_bytes()) as server:
        one = replace(module.catalogue()["densenet121-res224-nih"], url=f"{server.url}/file")
        monkeypatch.setattr(module, "catalogue", lambda: {one.name: one})
        ended = medcam("models", "fetch", one.name)
        assert ended.code == 0, ended.err
        assert "Licence of the weights: Apache-2.0" in ended.err
        assert "SHA-256" in ended.out
        assert medcam("models", "fetch", one.name).code == 2
    assert "0.039" in medcam("models", "show", one.name).out
    assert medcam("models", "fetch", "nobody's").code == 3
