"""EfficientNet-Lite0: its shapes, its padding, and the way its published weights come in."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from medcam.core.errors import ModelError
from medcam.models import efficientnet_lite
from medcam.models.backbones import build_backbone
from medcam.models.efficientnet_lite import STAGES, EfficientNetLite0, SameConv, imagenet_state, published_state


def test_features_have_the_paper_s_channels_and_strides() -> None:
    plain = build_backbone("efficientnet-lite0", stride=32)
    joined = build_backbone("efficientnet-lite0", stride=16, neck=8)
    film = torch.zeros(1, 1, 64, 64)
    assert (plain.out_channels, joined.out_channels) == (320, 8)
    assert plain.eval()(film).shape[2:] == (2, 2)
    assert joined.eval()(film).shape[2:] == (4, 4)
    assert list(joined.layers(film)) == [*(f"stage{n}" for n in range(1, 8)), "neck"]
    with pytest.raises(ModelError) as error:
        build_backbone("efficientnet-lite0", stride=8)
    assert error.value.code == "unknown-backbone"


def test_a_neck_of_one_stage_is_that_of_two_whose_deep_weights_are_nought_and_makes_no_stage_behind_it() -> None:
    two = build_backbone("efficientnet-lite0", stride=16, neck=8).eval()
    one = build_backbone("efficientnet-lite0", stride=16, neck=8, stages=[5]).eval()
    assert one.neck is not None
    assert two.neck is not None
    assert two.neck.deep is not None
    one.load_state_dict({name: value for name, value in two.state_dict().items() if name in one.state_dict()})
    torch.nn.init.zeros_(two.neck.deep.weight)
    film = torch.rand(1, 1, 64, 64)
    assert list(one.layers(film)) == [*(f"stage{n}" for n in range(1, 6)), "neck"]
    assert torch.allclose(one(film), two(film), atol=1e-6)
    assert one(film).std() > 0


def test_a_strided_convolution_pads_at_the_end() -> None:
    layer = SameConv(1, 1, 3, 2)
    image = torch.rand(1, 1, 8, 8)
    assert torch.equal(layer(image), F.conv2d(F.pad(image, [0, 1, 0, 1]), layer.weight, stride=2))


def _published(network: EfficientNetLite0) -> dict[str, torch.Tensor]:
    """The state of a network by the port's names, for three colours of which each has a third."""
    parts = {"depthwise": ("_depthwise_conv", "_bn1"), "project": ("_project_conv", "_bn2")}
    parts["expand"] = ("_expand_conv", "_bn0")
    blocks = [(stage, block) for stage, row in enumerate(STAGES) for block in range(row.blocks)]
    place = {f"stages.{stage}.{block}": f"_blocks.{number}" for number, (stage, block) in enumerate(blocks)}
    state = {}
    for name, value in network.state_dict().items():
        words = name.split(".")
        if words[0] == "stem":
            is_weight = words[1] == "0"
            state["_conv_stem.weight" if is_weight else f"_bn0.{words[2]}"] = (
                value.repeat(1, 3, 1, 1) / 3 if is_weight else value
            )
        else:
            theirs = parts[words[3]][int(words[4])]
            state[f"{place['.'.join(words[:3])]}.{theirs}.{words[5]}"] = value
    return state


def test_published_weights_come_in_by_name_and_colours_are_summed() -> None:
    torch.manual_seed(0)
    network = EfficientNetLite0(1).eval()
    other = EfficientNetLite0(1).eval()
    other.load_state_dict(published_state(_published(network), 1))
    coloured = EfficientNetLite0(3).eval()
    coloured.load_state_dict(published_state(_published(network), 3))
    film = torch.rand(1, 1, 64, 64)
    with torch.inference_mode():
        expected = network(film)
        assert torch.allclose(other(film), expected, atol=1e-5)
        assert torch.allclose(coloured(film.repeat(1, 3, 1, 1)), expected, atol=1e-4)


def test_weights_that_are_not_installed_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(efficientnet_lite, "IMAGENET", "no_such_distribution_of_weights")
    with pytest.raises(ModelError, match="not installed"):
        imagenet_state(1)
