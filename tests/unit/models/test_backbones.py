"""Backbones: MONAI's networks at every stride that they offer."""

from __future__ import annotations

import pytest
import torch

from medcam.core.errors import ModelError
from medcam.models.backbones import backbone_names, build_backbone

SMALL = {
    "densenet": {"init_features": 8, "growth_rate": 4, "block_config": (2, 2, 2, 2)},
    "resnet": {"layers": [1, 1, 1, 1], "block_inplanes": [8, 8, 8, 8]},
}
CASES = [(name, stride) for name in ("densenet", "resnet") for stride in (4, 8, 16, 32)]
CASES += [(name, 8) for name in ("densenet121", "resnet18", "resnet50", "seresnet50", "efficientnet-b0")]


@pytest.mark.parametrize(("name", "stride"), CASES)
def test_a_map_has_one_cell_per_stride(name: str, stride: int) -> None:
    backbone = build_backbone(name, stride=stride, **SMALL.get(name, {})).eval()
    with torch.inference_mode():
        features = backbone(torch.randn(1, 1, 96, 128))
    assert features.shape == (1, backbone.out_channels, 96 // stride, 128 // stride)


@pytest.mark.parametrize("name", ["densenet", "resnet"])
def test_features_after_a_relu_are_not_negative(name: str) -> None:
    backbone = build_backbone(name, stride=8, **SMALL[name]).eval()
    with torch.inference_mode():
        assert float(backbone(torch.randn(2, 1, 64, 64)).min()) >= 0.0


def test_a_neck_joins_the_stages_at_stride_four() -> None:
    backbone = build_backbone("resnet", stride=4, neck=6, **SMALL["resnet"]).eval()
    with torch.inference_mode():
        features = backbone(torch.randn(1, 1, 64, 64))
    assert features.shape == (1, 6, 16, 16)
    assert backbone.layer == "neck"


def test_padding_by_reflection_leaves_no_border_in_a_constant_film() -> None:
    film = torch.ones(1, 1, 64, 64)
    spreads = {}
    for mode in ("zeros", "replicate"):
        torch.manual_seed(0)
        backbone = build_backbone("resnet", stride=8, padding_mode=mode, **SMALL["resnet"]).eval()
        # The pooling before the stages ignores what lies beyond the border, so that only convolutions could tell.
        with torch.inference_mode():
            features = backbone(film)
        spreads[mode] = float(features.std(dim=(2, 3)).max())
    assert spreads["replicate"] < 1e-5 < spreads["zeros"]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("unheard-of", {}),
        ("resnet", {"stride": 5}),
        ("resnet", {"padding_mode": "mirror"}),
        ("resnet18", {"stride": 3}),
    ],
)
def test_what_is_not_offered_is_refused_with_a_code(name: str, options: dict[str, object]) -> None:
    with pytest.raises(ModelError) as caught:
        build_backbone(name, **options)  # type: ignore[arg-type]
    assert caught.value.code == "unknown-backbone"


def test_a_neck_at_another_stride_is_refused() -> None:
    with pytest.raises(ModelError):
        build_backbone("resnet", stride=8, neck=8, **SMALL["resnet"])


def test_every_registered_name_is_listed() -> None:
    assert {"densenet121", "resnet18", "seresnet50", "efficientnet-b0"} <= set(backbone_names())


@pytest.mark.parametrize("name", ["densenet121", "resnet18"])
def test_a_constant_channel_is_seen_behind_the_input(name: str) -> None:
    backbone = build_backbone(name, in_channels=1, constant_channel=True).eval()
    plain = build_backbone(name, in_channels=2).eval()
    plain.load_state_dict(backbone.state_dict())
    images = torch.randn(2, 1, 64, 64)
    with torch.no_grad():
        assert backbone(images).equal(plain(torch.cat([images, torch.ones_like(images)], dim=1)))
        assert backbone.layers(images)[backbone.layer].equal(backbone(images))
