"""Foreign networks with a GAP head: the same logits where the tail allows it, a clear refusal elsewhere."""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np
import pytest
import torch
from monai.networks.nets import DenseNet121, EfficientNetBN, SENet, resnet18
from torch import Tensor, nn
from torch.nn import functional as F

from medcam.core.errors import InvalidValueError, ModelError
from medcam.core.protocols import Classifier
from medcam.core.relation import Relation
from medcam.models import backbones
from medcam.models.backbones import register_backbone
from medcam.models.classifier import GapClassifier
from medcam.models.files import load_folder, save_model
from medcam.models.loaded import LoadedModel
from medcam.models.surgery.gap_head import with_gap_head
from medcam.models.surgery.walked import watch

from .tiny import tiny_card

SIDE, FINDINGS = 64, 3


def probe(channels: int = 1, side: int = SIDE) -> Tensor:
    return torch.randn(2, channels, side, side, generator=torch.Generator().manual_seed(1))


def convolutions(channels: int = 6) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, channels, 3, padding=1), nn.BatchNorm2d(channels), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 6, 3)
    )


class Plain(nn.Module):
    """Convolutions, a pooling function and linear layers; optionally with a branch that no tracer can follow."""

    def __init__(self, pool: Callable[[Tensor], Tensor], inputs: int = 6, *, branch: bool = False) -> None:
        super().__init__()
        self.features, self.fc = convolutions(), nn.Linear(inputs, FINDINGS)
        self.pool, self.branch = pool, branch

    def forward(self, x: Tensor) -> Tensor:
        x = self.features(x)
        if self.branch and float(x.detach().abs().max()) > 1e6:
            x = x / 2
        return self.fc(self.pool(x))


class Pooled(nn.Module):
    """Pooling as a layer, a rectifier as a function, a branch that no tracer can follow."""

    def __init__(self, *tail: nn.Module) -> None:
        super().__init__()
        self.features, self.tail = convolutions(), nn.Sequential(*tail)

    def forward(self, x: Tensor) -> Tensor:
        x = self.features(x)
        if float(x.detach().abs().max()) > 1e6:
            x = x / 2
        return self.tail(F.relu(x))


def vgg() -> nn.Module:
    """Like VGG and AlexNet: features, pooling to a grid, several linear layers."""
    network = nn.Module()
    network.features = nn.Sequential(*convolutions(), nn.ReLU(), nn.MaxPool2d(2))
    network.avgpool = nn.AdaptiveAvgPool2d((3, 3))
    network.classifier = nn.Sequential(nn.Linear(54, 8), nn.ReLU(), nn.Dropout(), nn.Linear(8, FINDINGS))
    return nn.Sequential(network.features, network.avgpool, nn.Flatten(), network.classifier)


MONAI = {
    "densenet121": lambda: DenseNet121(spatial_dims=2, in_channels=1, out_channels=FINDINGS),
    "resnet18": lambda: resnet18(spatial_dims=2, n_input_channels=1, num_classes=FINDINGS),
    "efficientnet": lambda: EfficientNetBN(
        "efficientnet-b0", spatial_dims=2, in_channels=1, num_classes=FINDINGS, pretrained=False
    ),
    "senet": lambda: SENet(
        spatial_dims=2,
        in_channels=1,
        block="se_bottleneck",
        layers=(1, 1, 1, 1),
        groups=4,
        reduction=4,
        dropout_prob=0.2,
        num_classes=FINDINGS,
    ),
}
PLAIN = {
    "adaptive": lambda: Plain(lambda x: torch.flatten(F.adaptive_avg_pool2d(x, 1), 1)),
    "mean": lambda: Plain(lambda x: x.mean((2, 3))),
    "mean by mean, with dropout": lambda: Plain(lambda x: F.dropout(x.mean(3).mean(2), 0.5, training=False)),
    "flat mean": lambda: Plain(lambda x: x.flatten(2).mean(-1)),
    "average of the whole": lambda: Plain(lambda x: F.avg_pool2d(x, x.shape[-1]).view(x.shape[0], -1)),
    "sequential": lambda: nn.Sequential(
        convolutions(),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Dropout(),
        nn.Linear(6, FINDINGS, bias=False),
    ),
    "untraceable": lambda: Plain(lambda x: x.mean((2, 3)), branch=True),
    "untraceable, pooled by a layer": lambda: Pooled(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, FINDINGS)),
}
KEPT = MONAI | PLAIN


def restless(network: nn.Module) -> nn.Module:
    """The network in evaluation mode, with statistics of batch norms that matter."""
    for name, value in network.state_dict().items():
        if name.endswith("running_var"):
            value.uniform_(0.5, 2.0)
        elif name.endswith("running_mean"):
            value.normal_(0.0, 0.1)
    return network.eval()


@pytest.mark.parametrize("name", KEPT)
def test_the_logits_stay_what_they_were(name: str) -> None:
    torch.manual_seed(0)
    network = restless(KEPT[name]())
    before = copy.deepcopy(network.state_dict())
    classifier = with_gap_head(network, probe=probe())
    images = torch.randn(3, 1, SIDE, SIDE)
    with torch.inference_mode():
        output, wanted = classifier(images), network(images)
    assert isinstance(classifier, GapClassifier)
    assert classifier.head.relation is Relation.MEAN
    torch.testing.assert_close(output.logits, wanted, atol=1e-4, rtol=1e-5)
    means = output.maps.double().numpy().mean(axis=(2, 3)) + classifier.head.bias.detach().double().numpy()
    np.testing.assert_allclose(means, wanted.numpy(), atol=1e-4)
    assert min(output.maps.shape[2:]) > 1
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


@pytest.mark.parametrize("name", ["densenet121", "mean", "untraceable"])
def test_the_weights_before_the_tail_are_the_networks_own(name: str) -> None:
    network = KEPT[name]().eval()
    kept = {
        key.removeprefix("backbone.network.").removeprefix("network.").replace(".layer.", "."): value
        for key, value in with_gap_head(network, 5, replace=True, probe=probe()).state_dict().items()
        if key.startswith("backbone.")
    }
    own = {key: value for key, value in network.state_dict().items() if not key.startswith(("fc", "class_layers"))}
    assert kept.keys() == own.keys()
    assert all(torch.equal(kept[key], own[key]) for key in own)


def test_a_copy_can_be_trained_and_no_hook_is_left() -> None:
    for name in ("mean", "untraceable"):
        network = KEPT[name]()
        classifier = with_gap_head(network, probe=probe()).train()
        classifier(probe()).logits.sum().backward()
        assert all(parameter.grad is not None for parameter in classifier.parameters())
        assert all(parameter.grad is None for parameter in network.parameters())
        watch(network.eval(), probe())
        for module in (*classifier.modules(), *network.modules()):
            assert not module._forward_hooks
            assert not module._forward_pre_hooks


def test_a_probe_is_made_where_none_is_given() -> None:
    network = resnet18(spatial_dims=2, n_input_channels=3, num_classes=2).eval()
    classifier = with_gap_head(network)
    assert (classifier.layer, classifier.backbone.stride, classifier.backbone.out_channels) == ("layer4.1.act", 16, 512)


def test_a_foreign_network_explains_and_survives_the_disk(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(backbones, "_REGISTRY", dict(backbones._REGISTRY))
    torch.manual_seed(0)
    network = restless(KEPT["mean"]())
    classifier = with_gap_head(network, probe=probe())
    register_backbone("foreign")(
        lambda in_channels, stride: with_gap_head(KEPT["mean"]().eval(), probe=probe(in_channels)).backbone
    )
    card = tiny_card(backbone="foreign", backbone_options={}, out_of_distribution_threshold=None)
    model = LoadedModel(classifier, card)
    assert isinstance(model, Classifier)
    prediction = model.predict(probe().numpy())
    np.testing.assert_allclose(prediction.logits, network(probe()).detach().numpy(), atol=1e-4)
    assert prediction.relation is Relation.MEAN
    save_model(tmp_path / "model", classifier, card)
    again = load_folder(tmp_path / "model").predict(probe().numpy())
    np.testing.assert_allclose(again.logits, prediction.logits, atol=0.01)


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


class Tuple(Plain):
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return super().forward(x), x


class Patches(nn.Module):
    """A transformer on patches: by torch's layer, or by its function."""

    def __init__(self, *, written_out: bool = False) -> None:
        super().__init__()
        self.patches = nn.Conv2d(1, 8, 16, 16)
        self.encoder = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.fc, self.written_out = nn.Linear(8, FINDINGS), written_out

    def forward(self, x: Tensor) -> Tensor:
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = F.scaled_dot_product_attention(x, x, x) if self.written_out else self.encoder(x)
        return self.fc(x.mean(1))


def two_linear() -> nn.Module:
    return nn.Sequential(convolutions(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 4), nn.Linear(4, FINDINGS))


def curved(*order: nn.Module) -> nn.Module:
    return nn.Sequential(convolutions(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), *order)


# Network, reason, and whether a new linear layer helps (None: not asked).
REFUSED = {
    "no spatial map": (lambda: nn.Sequential(nn.Flatten(), nn.Linear(SIDE**2, FINDINGS)), "no feature map", None),
    "two linear": (two_linear, "2 linear layers follow .*: 3, 4", True),
    "two linear, untraceable": (
        lambda: Pooled(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 4), nn.Linear(4, FINDINGS)),
        "2 linear layers follow",
        True,
    ),
    "vgg": (vgg, "2 linear layers follow", True),
    "flattened": (lambda: Plain(lambda x: x.flatten(1), 6 * 30 * 30), "without being pooled", True),
    "no linear": (lambda: curved(), "no linear layer follows", True),
    "sigmoid": (lambda: curved(nn.Linear(6, FINDINGS), nn.Sigmoid()), "4 comes after its linear layer", True),
    "rectified": (lambda: curved(nn.ReLU(), nn.Linear(6, FINDINGS)), "3 comes before its linear layer", True),
    "global max": (lambda: Plain(lambda x: x.amax((2, 3))), "pools by the maximum", True),
    "global max by module": (
        lambda: nn.Sequential(convolutions(), nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(6, FINDINGS)),
        "pools by the maximum",
        True,
    ),
    "global max, untraceable": (
        lambda: Pooled(nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(6, FINDINGS)),
        "pools by the maximum",
        True,
    ),
    "scaled where the walk cannot see": (
        lambda: Plain(lambda x: 2 * x.mean((2, 3)), branch=True),
        "the logits are up to .* off",
        True,
    ),
    "both pools": (
        lambda: Plain(lambda x: torch.cat([x.mean((2, 3)), x.amax((2, 3))], 1), 12),
        "cat comes after",
        False,
    ),
    "scaled mean": (lambda: Plain(lambda x: 2 * x.mean((2, 3))), "mul comes after", False),
    "tuple": (lambda: Tuple(lambda x: x.mean((2, 3))), "no tensor but a tuple", False),
    "map out": (convolutions, "4 axes", False),
    "transformer": (Patches, "attention \\(encoder\\), as in a transformer", False),
    "transformer in functions": (lambda: Patches(written_out=True), "attention \\(scaled_dot_product", False),
    "volumes": (lambda: nn.Sequential(nn.Conv3d(1, 2, 3)), "does not take the probe", None),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_turned_is_refused_with_its_reason(name: str) -> None:
    make, reason, fresh = REFUSED[name]
    network = make().eval()
    with pytest.raises(ModelError, match=reason) as caught:
        with_gap_head(network, probe=probe())
    assert caught.value.code == "no-gap-tail"
    if fresh:
        assert "replace=True" in caught.value.next_step
        assert with_gap_head(network, 4, replace=True, probe=probe())(probe()).logits.shape == (2, 4)
    else:
        with pytest.raises(ModelError) as caught:
            with_gap_head(network, 4, replace=True, probe=probe())
        assert caught.value.code == "no-gap-tail"


def test_a_named_layer_helps_where_the_tail_is_strange() -> None:
    for network in (REFUSED["both pools"][0](), REFUSED["tuple"][0](), REFUSED["scaled mean"][0]()):
        classifier = with_gap_head(network, 2, replace=True, layer="features", probe=probe())
        assert classifier(probe()).maps.shape == (2, 2, 30, 30)


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


def test_a_wrong_number_of_findings_is_refused() -> None:
    network = KEPT["mean"]().eval()
    for options in ({"findings": 2}, {"findings": 0}, {"findings": 0, "replace": True}, {"probe": torch.zeros(3, 3)}):
        with pytest.raises(InvalidValueError):
            with_gap_head(network, **({"probe": probe()} | options))
    assert with_gap_head(network, FINDINGS, probe=probe())(probe()).logits.shape == (2, FINDINGS)
    with pytest.raises(InvalidValueError, match="how many findings"):
        with_gap_head(REFUSED["tuple"][0](), replace=True, layer="features", probe=probe())
