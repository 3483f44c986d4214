"""Networks cut at a layer, and networks as they are behind the project's protocol."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from medcam.cam.methods.model import Differentiable, GradientModel
from medcam.core.card import FindingCard, InputRecipe
from medcam.core.errors import InvalidValueError, ModelError
from medcam.core.protocols import Classifier
from medcam.models.gradient import HookedNetwork, SplitNetwork, last_map_layer
from medcam.models.loaded import LoadedModel
from medcam.models.without_maps import wrap_network

from .tiny import noise, tiny_card, tiny_network

RECIPE = InputRecipe(32, 24)


class Small(nn.Module):
    """Convolutions, max pooling, two linear layers."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 4, 3, stride=2, padding=1), nn.ReLU(inplace=True), nn.Conv2d(4, 6, 3, padding=1), nn.ReLU()
        )
        self.pool = nn.AdaptiveMaxPool2d(1)
        self.tail = nn.Sequential(nn.Flatten(), nn.Dropout(0.9), nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 2))

    def forward(self, images: Tensor) -> Tensor:
        return self.tail(self.pool(self.features(images)))


class Twice(nn.Module):
    """A convolution that runs twice, and an output that is a tuple."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(1, 1, 3, padding=1)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        maps = self.convolution(self.convolution(images))
        return maps.mean(dim=(2, 3)), maps


def hooks(network: nn.Module) -> int:
    return sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in network.modules())


def inputs(count: int) -> np.ndarray:
    return np.random.default_rng(1).normal(size=(count, 1, 32, 24)).astype(np.float32)


def test_a_wrapped_network_is_a_classifier_without_maps() -> None:
    network = Small().train()
    model = wrap_network(network, ["Nodule", FindingCard("Mass", threshold=0.7)], RECIPE, name="mine", version="3")
    assert isinstance(model, Classifier)
    assert isinstance(model, Differentiable)
    assert isinstance(model.gradient_model(), GradientModel)
    card = model.card
    assert (card.name, card.version, card.backbone, card.head, card.layer) == (
        "mine",
        "3",
        "Small",
        "none",
        "features.3",
    )
    assert card.finding_names == ("Nodule", "Mass")
    assert card.findings[1].threshold == 0.7
    assert len(card.weights_sha256) == 64
    prediction = model.predict(inputs(3))
    with torch.no_grad():
        expected = network.eval()(torch.from_numpy(inputs(3))).numpy()
        means = network.features(torch.from_numpy(inputs(3))).mean(dim=(2, 3)).numpy()
    np.testing.assert_allclose(prediction.logits, expected, atol=1e-5)
    np.testing.assert_allclose(prediction.features, means, atol=1e-5)
    assert prediction.maps.shape == (3, 2, 0, 0)
    assert not prediction.has_maps
    assert not prediction.ledger
    assert model.out_of_distribution(inputs(3), prediction) is None


def test_wrapping_leaves_the_network_as_it_is() -> None:
    network = Small().train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    model = wrap_network(network, ["a", "b"], RECIPE)
    model.predict(inputs(2))
    assert network.training
    assert all(parameter.requires_grad for parameter in network.parameters())
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert hooks(network) == hooks(model.gradient_model().network) == 0


def test_the_digest_is_that_of_the_weights() -> None:
    network = Small()
    first, again = (wrap_network(network, ["a", "b"], RECIPE).card.weights_sha256 for _ in range(2))
    with torch.no_grad():
        network.tail[4].bias[0] += 1.0
    assert first == again != wrap_network(network, ["a", "b"], RECIPE).card.weights_sha256


def test_inputs_of_another_shape_are_refused() -> None:
    model = wrap_network(Small(), ["a", "b"], RECIPE)
    with pytest.raises(InvalidValueError):
        model.predict(np.zeros((1, 1, 24, 32), np.float32))


@pytest.mark.parametrize(
    ("network", "findings", "recipe"),
    [
        (Small(), ["a"], RECIPE),
        (Small(), ["a", "b"], InputRecipe(32, 24, channels=3)),
        (Twice(), ["a"], RECIPE),
    ],
    ids=["count", "channels", "tuple"],
)
def test_a_network_that_gives_no_logit_per_finding_is_refused(network, findings, recipe) -> None:
    with pytest.raises(ModelError) as caught:
        wrap_network(network, findings, recipe)
    assert caught.value.code == "foreign-network"


@pytest.mark.parametrize("layer", ["features.9", "", "tail.2", "pool"])
def test_a_layer_without_a_map_is_refused(layer: str) -> None:
    if layer == "pool":  # a map of one cell is one all the same, where it is asked for
        assert wrap_network(Small(), ["a", "b"], RECIPE, layer=layer).card.layer == "pool"
        return
    with pytest.raises(ModelError) as caught:
        wrap_network(Small(), ["a", "b"], RECIPE, layer=layer)
    assert caught.value.code == "cam-layer"


def test_a_layer_that_runs_twice_is_refused_and_its_hook_removed() -> None:
    network = Twice().eval()
    hooked = HookedNetwork(network, "convolution", 1, lambda output: output[0])
    with pytest.raises(ModelError) as caught:
        hooked.features(torch.from_numpy(inputs(1)))
    assert caught.value.code == "cam-layer"
    with pytest.raises(ModelError):
        last_map_layer(network, torch.from_numpy(inputs(1)))
    assert hooks(network) == 0


def test_no_hook_is_left_when_the_network_raises() -> None:
    network = Small().eval()
    hooked = HookedNetwork(network, "features.3", 2)
    for call in (hooked.features, hooked.logits, lambda images: last_map_layer(network, images)):
        with pytest.raises(RuntimeError):
            call(torch.zeros(1, 2, 32, 24))
        assert hooks(network) == 0


def test_features_put_in_take_the_place_of_the_layers_output() -> None:
    network = Small().eval()
    hooked, images = HookedNetwork(network, "features.2", 2), torch.from_numpy(inputs(2))
    features = hooked.features(images)
    expected = network.tail(network.pool(torch.relu(features * 2.0)))
    torch.testing.assert_close(hooked.logits(images, features * 2.0), expected)
    torch.testing.assert_close(hooked.logits(images, features), network(images))


def test_what_the_next_layer_writes_into_is_seen_as_the_layer_gave_it() -> None:
    network = Small().eval()
    images = torch.from_numpy(inputs(1))
    seen = HookedNetwork(network, "features.0", 2).features(images)
    torch.testing.assert_close(seen, network.features[0](images))
    assert bool((seen < 0.0).any())


def test_a_loaded_model_is_split_where_its_head_reads() -> None:
    model = LoadedModel(tiny_network(), tiny_card())
    split = model.gradient_model()
    assert isinstance(model, Differentiable)
    assert isinstance(split, SplitNetwork)
    assert (split.layer, split.findings) == ("layer4", 3)
    images = torch.from_numpy(noise(2))
    prediction = model.predict(noise(2))
    with torch.no_grad():
        features = split.features(images)
        np.testing.assert_allclose(split.logits(images, features).numpy(), prediction.logits, atol=1e-5)
        np.testing.assert_allclose(split.logits(images).numpy(), prediction.logits, atol=1e-5)
        np.testing.assert_allclose(split.class_maps(features).numpy(), prediction.maps, atol=1e-4)
