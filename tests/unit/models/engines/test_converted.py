"""Converted networks in the user's cache folder: read again, made again where damaged, never taken from a stranger."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest

from medcam.models.engines import converted
from medcam.models.engines.budget import Budget
from medcam.models.engines.choose import with_engine
from medcam.models.engines.openvino_engine import openvino_precisions
from medcam.models.engines.quiet_openvino import load_openvino
from medcam.models.engines.torch_reference import Layers
from medcam.models.loaded import LoadedModel

from ..tiny import OPTIONS, noise, tiny_card, tiny_network

pytestmark = pytest.mark.skipif(not openvino_precisions(), reason="OpenVINO is not installed")

LOOSE = Budget(1.0, 0.1)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "medcam" / "openvino"


@pytest.fixture
def conversions(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Counts them."""
    made: list[int] = []
    convert = converted._convert

    def counted(*given):
        made.append(1)
        return convert(*given)

    monkeypatch.setattr(converted, "_convert", counted)
    return made


def tiny(seed: int = 0, **changes) -> LoadedModel:
    card = tiny_card(**changes)
    return LoadedModel(tiny_network(card, seed), card)


def test_the_second_load_reads_what_the_first_has_made(cache: Path, conversions: list[int]) -> None:
    first = with_engine(tiny(), "openvino:fp32")
    again = with_engine(tiny(), "openvino:fp32")
    assert again.engine.name == "openvino"
    assert len(conversions) == 1
    np.testing.assert_array_equal(first.predict(noise(2)).logits, again.predict(noise(2)).logits)
    [kept] = cache.iterdir()
    assert {part.name for part in kept.iterdir()} == {"network.xml", "network.bin"}
    assert cache.stat().st_mode & 0o077 == 0


def test_other_weights_structure_input_and_layers_are_other_networks(cache: Path) -> None:
    package = load_openvino()
    models = [tiny(), tiny(seed=1), tiny(backbone_options=OPTIONS | {"stride": 16})]
    recipe = models[0].card.input
    keys = {
        converted._key(package, Layers(one.network.backbone, layers), recipe)
        for one in models
        for layers in (("layer4",), ("layer2", "layer4"))
    }
    assert len(keys) == 6


@pytest.mark.parametrize("name", ["network.xml", "network.bin"])
def test_a_damaged_one_is_made_again_or_found_out(cache: Path, conversions: list[int], name: str) -> None:
    with_engine(tiny(), "openvino:fp32")
    [kept] = cache.iterdir()
    (kept / name).write_bytes(b"\x00" * 100)
    model = with_engine(tiny(), "openvino:fp32")
    np.testing.assert_allclose(model.predict(noise(2)).logits, tiny().predict(noise(2)).logits, atol=1e-4)


def test_another_networks_weights_under_its_key_are_found_out(cache: Path) -> None:
    with_engine(tiny(), "openvino:fp32")
    [kept] = cache.iterdir()
    data = np.frombuffer((kept / "network.bin").read_bytes(), dtype=np.float32) * np.float32(1.5)
    (kept / "network.bin").write_bytes(data.tobytes())
    model = with_engine(tiny(), "openvino:fp32")
    assert model.engine.name == "torch"
    assert "openvino fp32 is not used" in model.engine_warnings[0]


def test_a_folder_that_others_can_write_to_is_not_used(cache: Path, conversions: list[int]) -> None:
    cache.mkdir(parents=True)
    cache.chmod(0o777)
    for _ in range(2):
        assert with_engine(tiny(), "openvino:fp32").engine.name == "openvino"
    assert len(conversions) == 2
    assert list(cache.iterdir()) == []


def test_without_a_place_for_it_every_load_converts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, conversions: list[int]
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert with_engine(tiny(), "openvino:fp32").engine.name == "openvino"
    assert len(conversions) == 1


def test_the_oldest_go(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(converted, "MOST_KEPT", 2)
    with_engine(tiny(), "openvino:fp32")
    [first] = cache.iterdir()
    with_engine(tiny(seed=1), "openvino:fp32")
    long_ago = time.time() - 1000
    os.utime(first, (long_ago, long_ago))
    with_engine(tiny(seed=2), "openvino:fp32")
    assert len(list(cache.iterdir())) == 2
    assert not first.exists()
