"""The identity that the project rests on: mean(map) + bias is the network's own logit."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from medcam.models.classifier import GapClassifier, fold_calibration, new_network
from medcam.models.known import SHIPPED
from medcam.models.registry import load_model

NETWORKS = [
    ("densenet121", {"stride": 32}, {}),
    ("densenet", {"stride": 8, "init_features": 8, "growth_rate": 4, "block_config": (2, 2, 2)}, {}),
    ("resnet18", {"stride": 16}, {}),
    ("resnet50", {"stride": 32}, {}),
    ("seresnet50", {"stride": 32}, {}),
    ("efficientnet-b0", {"stride": 16}, {}),
    (
        "resnet",
        {"stride": 4, "neck": 8, "layers": [1, 1, 1, 1], "block_inplanes": [8, 8, 8, 8]},
        {"finding_units": True},
    ),
    ("resnet", {"stride": 8, "layers": [1, 1, 1, 1], "block_inplanes": [8, 8, 8, 8]}, {"nonnegative": True}),
]


def pooled_logits(network: GapClassifier, images: torch.Tensor) -> torch.Tensor:
    """The classical order of things: pool the features, then apply the linear layer."""
    features = network(images).features.float()
    return F.linear(features.mean(dim=(2, 3)), network.head.class_weights, network.head.bias)


@pytest.mark.parametrize(("name", "options", "head"), NETWORKS)
def test_maps_add_up_to_the_networks_own_logits(name: str, options: dict[str, object], head: dict[str, object]) -> None:
    torch.manual_seed(1)
    network = new_network(name, options, head, 14).eval()
    torch.nn.init.normal_(network.head.bias)
    images = torch.randn(2, 1, 96, 64)
    with torch.inference_mode():
        output = network(images)
        difference = (output.maps.mean(dim=(2, 3)) + network.head.bias - pooled_logits(network, images)).abs()
    assert float(difference.max()) < 1e-4
    assert torch.allclose(output.logits, output.maps.mean(dim=(2, 3)) + network.head.bias, atol=1e-6)


@pytest.mark.parametrize("name", sorted(folder.name for folder in SHIPPED.iterdir() if folder.is_dir()))
def test_shipped_models_add_up(name: str) -> None:
    model = load_model(name)
    recipe = model.card.input
    images = torch.randn(4, recipe.channels, recipe.height, recipe.width, generator=torch.Generator().manual_seed(3))
    prediction = model.predict(images.numpy())
    with torch.inference_mode():
        wanted = pooled_logits(model.network, images).numpy()
    assert abs(prediction.logits - wanted).max() < 1e-4
    assert abs(prediction.maps.mean(axis=(2, 3)) + prediction.biases - prediction.logits).max() < 1e-5


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**16), height=st.integers(32, 97), width=st.integers(32, 97), gain=st.floats(0.01, 30.0))
def test_the_identity_holds_for_any_film(seed: int, height: int, width: int, gain: float) -> None:
    torch.manual_seed(seed)
    network = new_network("resnet", {"stride": 8, "layers": [1, 1, 1, 1], "block_inplanes": [8, 8, 8, 8]}, {}, 3).eval()
    images = gain * torch.randn(1, 1, height, width)
    with torch.inference_mode():
        output, wanted = network(images), pooled_logits(network, images)
        difference = (output.maps.mean(dim=(2, 3)) + network.head.bias - wanted).abs()
    assert float(difference.max()) < 1e-4 * max(1.0, float(wanted.abs().max()))


def test_a_calibration_folds_into_the_head() -> None:
    torch.manual_seed(2)
    network = new_network("resnet", {"stride": 8, "layers": [1, 1, 1, 1], "block_inplanes": [8, 8, 8, 8]}, {}, 2).eval()
    images = torch.randn(3, 1, 64, 64)
    with torch.inference_mode():
        before = network(images).logits
        fold_calibration(network, torch.tensor([2.0, 0.5]), torch.tensor([1.0, -1.0]))
        output = network(images)
    assert torch.allclose(output.logits, before * torch.tensor([2.0, 0.5]) + torch.tensor([1.0, -1.0]), atol=1e-5)
    assert torch.allclose(output.logits, output.maps.mean(dim=(2, 3)) + network.head.bias, atol=1e-6)


def test_no_hook_is_left_or_needed() -> None:
    network = new_network("resnet", {"stride": 8, "layers": [1, 1, 1, 1], "block_inplanes": [8, 8, 8, 8]}, {}, 2).eval()
    with torch.inference_mode():
        network(torch.randn(1, 1, 64, 64))
    assert all(not m._forward_hooks and not m._forward_pre_hooks and not m._backward_hooks for m in network.modules())
