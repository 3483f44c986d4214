"""Networks of other packages as ours: the same logits, exact maps, and a refusal where that cannot be."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from plain_networks import PlainDenseNet, PlainResNet, lively
from torch import nn

from medcam.core.card import FindingCard
from medcam.core.errors import InvalidValueError, MedcamError, ModelError
from medcam.models.loaded import LoadedModel
from medcam.models.published.build import Meaning, build_model
from medcam.models.published.checkpoint import Checkpoint, read_checkpoint
from medcam.models.published.folding import fold_grey
from medcam.models.published.layouts import CHEXNET, IMAGENET, LAYOUTS, XRAYVISION, guess_layout, map_checkpoint

SIDE = 64
NETWORKS = {
    "densenet": lambda channels, outputs: PlainDenseNet(channels, outputs),
    "resnet": lambda channels, outputs: PlainResNet(channels, outputs, (1, 2, 1, 1)),
    "bottleneck resnet": lambda channels, outputs: PlainResNet(channels, outputs, (1, 1, 2, 1), bottleneck=True),
    "resnet18": lambda channels, outputs: PlainResNet(channels, outputs, (2, 2, 2, 2), width=64),
}


def imported(tensors, findings, mean=(0.0,), std=(1.0,), kinds=None, activation=None) -> LoadedModel:
    mapped = map_checkpoint(Checkpoint(tensors))
    cards = [FindingCard(name) if name else None for name in findings]
    about = {"name": "x", "version": "1"}
    network, card = build_model(mapped, kinds or {}, Meaning(cards, SIDE, mean, std, activation, about))
    return LoadedModel(network, card)


def grey(count: int = 2) -> torch.Tensor:
    return torch.rand(count, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(1))


def as_input(model: LoadedModel, films: torch.Tensor) -> np.ndarray:
    black, white = model.card.input.black, model.card.input.white
    return (black + films * (white - black)).numpy()


def logits(network: nn.Module, films: torch.Tensor, mean, std) -> np.ndarray:
    images = (films - torch.tensor(mean)[:, None, None]) / torch.tensor(std)[:, None, None]
    with torch.inference_mode():
        return network(images).numpy()


@pytest.mark.parametrize("kind", NETWORKS)
@pytest.mark.parametrize(
    ("mean", "std"),
    [((0.5,), (1 / 2048,)), IMAGENET, ((0.5, 0.5, 0.5), (0.25, 0.25, 0.25)), ((0.3, 0.3, 0.3), (0.2, 0.4, 0.1))],
)
def test_logits_are_those_of_the_foreign_network_and_maps_add_up(kind, mean, std):
    network = lively(NETWORKS[kind](len(mean), 3))
    model = imported(network.state_dict(), "abc", mean, std)

    prediction = model.predict(as_input(model, grey()))

    expected = logits(network, grey(), mean, std)
    assert np.abs(prediction.logits - expected).max() < 1e-4 * max(1.0, np.abs(expected).max())
    assert np.allclose(prediction.maps.mean(axis=(2, 3)) + prediction.biases, prediction.logits, atol=1e-4)
    assert model.card.input.channels == 1


@pytest.mark.parametrize("prefix", ["module.", "model.", "module.densenet121.", "network.model.", "_orig_mod.module."])
def test_what_training_programs_wrap_around_a_network_is_taken_off(prefix):
    network = lively(PlainDenseNet(1, 2))
    model = imported({prefix + name: value for name, value in network.state_dict().items()}, "ab")

    assert np.allclose(
        model.predict(as_input(model, grey())).logits, logits(network, grey(), (0.0,), (1.0,)), atol=1e-4
    )


def test_losses_and_metrics_beside_a_network_are_passed_over_and_layers_are_not():
    network = lively(PlainDenseNet(1, 2))
    inside = {f"model.{name}": value for name, value in network.state_dict().items()}
    beside = {
        "criterion.pos_weight": torch.ones(2),
        "loss_fn.weight": torch.ones(2),
        "val_auroc.confmat": torch.tensor([3, 4]),
        "metrics.total": torch.tensor(7),
    }
    model = imported({**beside, **inside}, "ab")

    assert np.allclose(
        model.predict(as_input(model, grey())).logits, logits(network, grey(), (0.0,), (1.0,)), atol=1e-4
    )
    with pytest.raises(ModelError, match="fit no network"):
        imported({**inside, "norm.weight": torch.ones(2)}, "ab")


def test_old_names_of_dense_layers_are_known():
    network = lively(PlainDenseNet(1, 2))
    old = {name.replace("norm1", "norm.1").replace("conv2", "conv.2"): v for name, v in network.state_dict().items()}

    assert imported(old, "ab").predict(grey().numpy()).logits.shape == (2, 2)


def test_outputs_without_a_name_are_left_out():
    network = lively(PlainDenseNet(1, 4))
    model = imported(network.state_dict(), ["a", None, "c", None])

    expected = logits(network, grey(), (0.0,), (1.0,))[:, [0, 2]]
    assert model.card.finding_names == ("a", "c")
    assert np.allclose(model.predict(grey().numpy()).logits, expected, atol=1e-4)


def test_a_sigmoid_behind_the_linear_layer_is_taken_off():
    network = lively(PlainDenseNet(1, 2))
    network.classifier = nn.Sequential(network.classifier, nn.Sigmoid())
    model = imported(network.state_dict(), "ab")

    with torch.inference_mode():
        probabilities = network(grey()).numpy()
    assert np.allclose(model.predict(grey().numpy()).probabilities, probabilities, atol=1e-5)


def test_folding_the_means_into_a_bias_would_be_wrong_along_the_border_and_this_is_not():
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(5, 3, 7, 7, generator=generator)
    mean, std = IMAGENET
    film = torch.rand(1, 1, 32, 32, generator=generator)
    images = (film - torch.tensor(mean)[:, None, None]) / torch.tensor(std)[:, None, None]
    expected = nn.functional.conv2d(images, weight, padding=3)
    folded = fold_grey(weight, mean, std)

    channel = folded.black + film * (folded.white - folded.black)
    exact = nn.functional.conv2d(torch.cat([channel, torch.ones_like(film)], 1), folded.weight, padding=3)
    bias = folded.weight[:, 1].sum(dim=(1, 2))
    biased = nn.functional.conv2d(channel, folded.weight[:, :1], bias, padding=3)

    assert (exact - expected).abs().max() < 1e-4
    assert (biased - expected)[..., 3:-3, 3:-3].abs().max() < 1e-4
    assert (biased - expected).abs().max() > 0.1


@pytest.mark.parametrize(("mean", "std"), [((0.5,), (1.0,)), ((0.5,) * 3, (1.0, 0.0, 1.0)), ((0.5,) * 3, (1.0,))])
def test_a_normalisation_that_does_not_fit_is_refused(mean, std):
    with pytest.raises(InvalidValueError):
        fold_grey(torch.ones(2, 3, 1, 1), mean, std)


def refused(tensors, findings="ab", **options) -> MedcamError:
    with pytest.raises(MedcamError) as caught:
        imported(tensors, findings, **options)
    assert caught.value.next_step
    return caught.value


def changed(**changes: torch.Tensor | None) -> dict[str, torch.Tensor]:
    state = lively(PlainDenseNet(1, 2)).state_dict()
    for name, value in changes.items():
        if value is None:
            del state[name.replace("__", ".")]
        else:
            state[name.replace("__", ".")] = value
    return state


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"weight": torch.ones(2, 2)},
        changed(features__norm5__bias=None),
        changed(features__denseblock2__denselayer1__conv1__weight=None),
        changed(features__norm5__bias=torch.ones(3)),
        changed(features__denseblock2__denselayer1__conv2__weight=torch.ones(8, 32, 5, 5)),
        changed(features__extra__weight=torch.ones(3)),
        changed(other__weight=torch.ones(3)),
        changed(features__denseblock99__denselayer1__norm1__weight=torch.ones(3)),
        changed(features__conv0__weight=torch.ones(16, 1, 7, 7, dtype=torch.int64)),
        changed(classifier__weight=None),
    ],
)
def test_tensors_that_fit_no_network_are_refused(state):
    assert refused(state).code == "unknown-layout"


@pytest.mark.parametrize("findings", ["a", "abc", [None, None], []])
def test_other_numbers_of_findings_are_refused(findings):
    assert refused(changed(), findings).code == "checkpoint-findings"


def test_more_than_one_linear_layer_is_refused_with_the_reason():
    network = PlainDenseNet(1, 2)
    network.classifier = nn.Sequential(nn.Linear(network.classifier.in_features, 5), nn.ReLU(), nn.Linear(5, 2))

    error = refused(lively(network).state_dict())

    assert error.code == "no-gap-tail"
    assert "2 linear layers follow its last feature map: classifier.0, classifier.2" in error.message
    assert "--tail" in error.next_step


def test_a_norm_in_the_tail_is_refused():
    network = PlainDenseNet(1, 2)
    network.classifier = nn.Sequential(nn.BatchNorm1d(network.classifier.in_features), network.classifier)

    assert refused(lively(network).state_dict()).code == "no-gap-tail"


TAILS = {"relu": nn.ReLU, "leaky-relu": nn.LeakyReLU, "tanh": nn.Tanh, "none": nn.Identity}


@pytest.mark.parametrize("activation", TAILS)
def test_with_the_tail_named_it_is_a_model_without_class_maps(activation):
    network = PlainResNet(1, 2, (1, 1, 1, 1))
    width = network.fc.in_features
    network.fc = nn.Sequential(nn.Linear(width, 5), TAILS[activation](), nn.Dropout(), nn.Linear(5, 2))
    model = imported(lively(network).state_dict(), "ab", activation=activation)

    prediction = model.predict(grey().numpy())

    assert np.allclose(prediction.logits, logits(network, grey(), (0.0,), (1.0,)), atol=1e-4)
    assert not prediction.has_maps
    assert model.card.head == "none"
    assert "No class activation maps" in model.card.limits[0]


@pytest.mark.filterwarnings("ignore:Couldn't retrieve source code")
def test_a_whole_module_tells_what_stands_between_its_linear_layers(tmp_path):
    from medcam.models.published.tails import head_options

    tail = nn.Sequential()
    tail.add_module("classifier", nn.Sequential(nn.Linear(4, 3), nn.SiLU(), nn.Dropout(), nn.Linear(3, 2)))
    torch.save(tail, tmp_path / "a.pt")
    read = read_checkpoint(tmp_path / "a.pt")
    from medcam.models.published.mapped import tail_of

    options = head_options(tail_of(read.tensors, "classifier"), read.kinds, None)

    assert options == {"hidden": [3], "activation": "silu"}


def test_layouts_are_told_apart_where_they_can_be():
    def guess(channels: int, outputs: int, prefix: str = "") -> str:
        checkpoint = Checkpoint({prefix + k: v for k, v in PlainDenseNet(channels, outputs).state_dict().items()})
        return guess_layout(checkpoint, map_checkpoint(checkpoint)).name

    assert guess(1, len(XRAYVISION)) == "torchxrayvision"
    assert guess(3, len(CHEXNET), "module.densenet121.") == "chexnet"
    with pytest.raises(MedcamError) as caught:
        guess(3, 14)
    assert caught.value.code == "unknown-import-layout"
    assert set(LAYOUTS) == {"torchxrayvision", "chexnet", "torchvision", "timm"}
