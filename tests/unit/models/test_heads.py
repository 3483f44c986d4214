"""Pooling heads and their registry."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from medcam.core.errors import ModelError
from medcam.models import heads
from medcam.models.classifier import build_classifier
from medcam.models.heads import build_head, head_names, register_head
from medcam.models.pooling import GapHead
from medcam.models.pooling_head import PoolingHead

from .tiny import noise, tiny_card

OWN = ("gap", "gmp", "lse", "map-gmp", "pcam")


@pytest.fixture
def features() -> Tensor:
    return torch.relu(torch.randn(3, 6, 4, 5, generator=torch.Generator().manual_seed(0)))


@pytest.mark.parametrize("nonnegative", [False, True])
def test_a_map_is_the_weighted_sum_of_features(features: Tensor, nonnegative: bool) -> None:
    head = build_head("gap", 6, 2, nonnegative=nonnegative)
    torch.nn.init.normal_(head.bias)
    with torch.no_grad():
        output = head(features)
        weights = head.class_weights
    wanted = np.einsum("ck,nkyx->ncyx", weights.detach().numpy(), features.numpy())
    np.testing.assert_allclose(output.maps.numpy(), wanted, atol=1e-5)
    np.testing.assert_allclose(output.logits.numpy(), wanted.mean(axis=(2, 3)) + head.bias.detach().numpy(), atol=1e-5)


def test_nonnegative_weights_give_no_evidence_against(features: Tensor) -> None:
    torch.manual_seed(1)
    signed, plain = build_head("gap", 6, 50), build_head("gap", 6, 50, nonnegative=True)
    with torch.no_grad():
        assert float(signed(features).maps.min()) < 0.0
        assert float(plain.class_weights.min()) > 0.0
        assert float(plain(features).maps.min()) >= 0.0


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_maps_are_computed_in_float32(features: Tensor, dtype: torch.dtype) -> None:
    head = build_head("gap", 6, 2)
    half = features.to(dtype)
    with torch.no_grad():
        output = head(half)
        assert output.maps.dtype == output.logits.dtype == torch.float32
        assert torch.equal(output.maps, head(half.float()).maps)


def test_gap_keeps_the_ledger_and_an_unknown_way_of_pooling_does_not() -> None:
    assert GapHead.ledger
    assert not PoolingHead.ledger
    with pytest.raises(ModelError) as caught:
        PoolingHead(4, 2)(torch.zeros(1, 4, 3, 3))
    assert caught.value.code == "pooling-head"


def test_an_unknown_head_is_refused_by_name() -> None:
    with pytest.raises(ModelError) as caught:
        build_head("unheard-of", 4, 2)
    assert caught.value.code == "unknown-head"
    assert "gap" in caught.value.next_step


class PeakHead(PoolingHead):
    """The highest cell of the map."""

    def pool(self, maps: Tensor) -> Tensor:
        return maps.amax(dim=(2, 3)) + self.bias


def test_a_registered_head_is_built_by_a_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads, "_REGISTRY", dict(heads._REGISTRY))
    assert register_head("peak")(PeakHead) is PeakHead
    assert set(head_names()) == {*OWN, "peak"}
    network = build_classifier(tiny_card(head="peak")).eval()
    assert isinstance(network.head, PeakHead)
    with torch.inference_mode():
        output = network(torch.from_numpy(noise(2)))
    assert torch.allclose(output.logits, output.maps.amax(dim=(2, 3)) + network.head.bias)


class FakeEntryPoint:
    """What `importlib.metadata.entry_points` gives for an installed plug-in."""

    def __init__(self, name: str, target: object) -> None:
        self.name, self._target = name, target

    def load(self) -> object:
        return self._target


def test_a_plug_in_head_is_found_and_cannot_replace_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    plugged = [FakeEntryPoint("peak", PeakHead), FakeEntryPoint("gap", PeakHead)]
    monkeypatch.setattr(heads, "entry_points", lambda group: plugged if group == heads.ENTRY_POINTS else [])
    assert set(head_names()) == {*OWN, "peak"}
    assert isinstance(build_head("peak", 4, 2), PeakHead)
    assert isinstance(build_head("gap", 4, 2), GapHead)
