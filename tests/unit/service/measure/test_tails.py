"""Networks with their tail replaced."""

from __future__ import annotations

import pytest

from medcam.service.measure import tails
from medcam.service.measure.tails import NETWORKS, tail_figures


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> dict[str, tails.TailFigures]:
    chosen = ("ResNet-18 (MONAI)", "AlexNet (plain torch)")
    monkeypatch.setattr(tails, "NETWORKS", {name: NETWORKS[name] for name in chosen})
    return {row.network: row for row in tail_figures()}


def test_a_network_that_ends_in_gap_keeps_everything(figures: dict[str, tails.TailFigures]) -> None:
    row = figures["ResNet-18 (MONAI)"]
    assert not row.refused
    assert row.kept == 1.0
    assert row.logit_difference is not None
    assert row.logit_difference < 1e-4
    assert row.map_difference < 1e-5


def test_a_network_with_several_linear_layers_keeps_its_features(figures: dict[str, tails.TailFigures]) -> None:
    row = figures["AlexNet (plain torch)"]
    assert "2 linear layers" in row.refused
    assert row.logit_difference is None
    assert row.cells == 13  # as the paper's AlexNet-GAP
    assert 0.3 < row.kept < 0.4
    assert row.map_difference < 1e-5
