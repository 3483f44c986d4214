"""The layer that a GAP head is set on: the last by itself, an earlier one by name, none that is not run."""

from __future__ import annotations

import pytest
import torch
from monai.networks.nets import resnet18
from torch import nn

from medcam.core.errors import ModelError
from medcam.models.surgery.gap_head import with_gap_head

from .foreign import FINDINGS, KEPT, SIDE, Plain, probe, vgg


def test_a_network_like_vgg_gets_a_new_linear_layer_on_its_features() -> None:
    network = vgg().eval()
    classifier = with_gap_head(network, replace=True, probe=probe())
    output = classifier(probe())
    assert (output.logits.shape, classifier.layer) == ((2, FINDINGS), "0.5")
    torch.testing.assert_close(output.features, network[0][:6](probe()))
    assert with_gap_head(network, 7, replace=True, probe=probe())(probe()).logits.shape == (2, 7)


@pytest.mark.parametrize("name", ["vgg", "untraceable"])
def test_an_earlier_layer_gives_a_finer_map(name: str) -> None:
    network, layer = (vgg(), "0.2") if name == "vgg" else (KEPT[name](), "features.2")
    classifier = with_gap_head(network, replace=True, layer=layer, probe=probe())
    assert (classifier.layer, classifier.backbone.stride) == (layer, 1)
    assert classifier(probe()).maps.shape == (2, FINDINGS, SIDE, SIDE)


def test_a_block_can_be_named_and_the_pooled_layer_too() -> None:
    network = resnet18(spatial_dims=2, n_input_channels=1, num_classes=FINDINGS).eval()
    assert with_gap_head(network, replace=True, layer="layer3", probe=probe()).backbone.stride == 8
    kept = with_gap_head(network, layer="layer4", probe=probe())
    torch.testing.assert_close(kept(probe()).logits, network(probe()), atol=1e-4, rtol=1e-5)


@pytest.mark.parametrize(
    "options",
    [
        {"layer": "nowhere"},
        {"layer": "nowhere", "replace": True},
        {"layer": "features.0"},
        {"layer": "fc", "replace": True},
        {"probe": torch.zeros(1, 2, SIDE, SIDE)},
        {"probe": torch.zeros(1, 1, 4, 4)},
    ],
)
@pytest.mark.parametrize("branch", [False, True])
def test_a_wrong_layer_or_probe_is_refused(options: dict[str, object], branch: bool) -> None:
    network = Plain(lambda x: x.mean((2, 3)), branch=branch).eval()
    with pytest.raises(ModelError) as caught:
        with_gap_head(network, **({"probe": probe()} | options))
    assert caught.value.code == "no-gap-tail"


def test_a_layer_that_is_not_run_cannot_be_named() -> None:
    for branch in (False, True):
        network = Plain(lambda x: x.mean((2, 3)), branch=branch).eval()
        network.spare = nn.Conv2d(1, 1, 1)
        with pytest.raises(ModelError, match="spare is not run"):
            with_gap_head(network, replace=True, layer="spare", probe=probe())
