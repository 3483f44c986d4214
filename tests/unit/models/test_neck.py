"""The neck: all stages at the size of the finest."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from medcam.models.backbones import build_backbone
from medcam.models.neck import Neck

CHANNELS, WIDTH = (3, 4, 5, 6), 7


def stages(fine: tuple[int, int], deep: tuple[int, int], seed: int = 0) -> list[Tensor]:
    rng = torch.Generator().manual_seed(seed)
    sizes = [fine, *[deep] * (len(CHANNELS) - 1)]
    return [torch.randn(2, count, *size, generator=rng) for count, size in zip(CHANNELS, sizes, strict=True)]


@pytest.fixture
def neck() -> Neck:
    torch.manual_seed(0)
    return Neck(CHANNELS, WIDTH).eval()


@pytest.mark.parametrize(
    ("fine", "deep"), [((16, 16), (8, 8)), ((25, 17), (13, 9)), ((8, 12), (8, 12)), ((5, 3), (3, 2))]
)
def test_the_result_has_the_size_of_the_finest_stage(neck: Neck, fine: tuple[int, int], deep: tuple[int, int]) -> None:
    with torch.inference_mode():
        features = neck(stages(fine, deep))
    assert features.shape == (2, WIDTH, *fine)
    assert float(features.min()) >= 0.0
    assert float(features.std()) > 0.0


@pytest.mark.parametrize("stage", range(len(CHANNELS)))
def test_every_stage_is_used(neck: Neck, stage: int) -> None:
    given = stages((16, 16), (8, 8))
    with torch.inference_mode():
        before = neck(given)
        given[stage] = given[stage] + torch.randn(given[stage].shape, generator=torch.Generator().manual_seed(1))
        after = neck(given)
    assert float((after - before).abs().mean()) > 1e-3


@pytest.mark.parametrize(("row", "column"), [(1, 6), (5, 2)])
def test_deep_stages_stay_where_they_are(neck: Neck, row: int, column: int) -> None:
    given = [torch.zeros_like(stage) for stage in stages((16, 16), (8, 8))]
    with torch.inference_mode():
        neck.mix.weight[:, :, [0, 0, 0, 1, 1, 2, 2, 2], [0, 1, 2, 0, 2, 0, 1, 2]] = 0.0  # it only mixes channels
        quiet = neck(given)
        given[2][:, :, row, column] = 10.0
        changed = (neck(given) - quiet).abs().sum(dim=(0, 1))
    cells = torch.arange(16) + 0.5
    centre = (changed.sum(dim=1) @ cells / changed.sum(), changed.sum(dim=0) @ cells / changed.sum())
    assert float(centre[0]) == pytest.approx(2.0 * row + 1.0, abs=0.05)
    assert float(centre[1]) == pytest.approx(2.0 * column + 1.0, abs=0.05)


def test_a_film_of_odd_size_passes_a_network_with_a_neck() -> None:
    backbone = build_backbone("resnet", stride=4, neck=5, layers=[1, 1, 1, 1], block_inplanes=[8, 8, 8, 8]).eval()
    with torch.inference_mode():
        features = backbone(torch.randn(1, 1, 97, 65))
    assert features.shape == (1, 5, 25, 17)
