"""Networks of several families with their tail replaced by global average pooling: what is kept, what adds up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

import torch
from monai.networks.nets import DenseNet121, EfficientNetBN, SEResNet50, resnet18
from torch import Tensor, nn
from torch.nn import functional as F

from medcam.core.errors import ModelError
from medcam.models.classifier import GapClassifier
from medcam.models.surgery.gap_head import with_gap_head

FINDINGS = 14
SIDE = 224


@dataclass(frozen=True, slots=True)
class TailFigures:
    """One network and what became of it.

    Args:
        network: Its name.
        refused: Why its own linear layer could not be kept; empty where it was.
        layer: The layer that is pooled.
        cells: Rows of the map on a film of `SIDE` pixels.
        kept: Share of the network's weights that the classifier has, its linear layer's included where it was kept.
        logit_difference: Largest difference of logits to the network's own on noise; None behind a new linear layer.
        map_difference: Largest |mean of the map + bias - logit| on noise, the logit by the class weights on pooled
            features in double precision.
    """

    network: str
    refused: str
    layer: str
    cells: int
    kept: float
    logit_difference: float | None
    map_difference: float

    def as_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return asdict(self)


def _like_alexnet() -> nn.Module:
    """The layers of AlexNet (Krizhevsky et al. 2012) for one channel."""
    return nn.Sequential(
        _block(1, 64, 11, 4, 2),
        nn.MaxPool2d(3, 2),
        _block(64, 192, 5, 1, 2),
        nn.MaxPool2d(3, 2),
        _block(192, 384, 3, 1, 1),
        _block(384, 256, 3, 1, 1),
        _block(256, 256, 3, 1, 1),
        nn.MaxPool2d(3, 2),
        nn.Flatten(),
        nn.Linear(256 * 6 * 6, 512),
        nn.ReLU(),
        nn.Linear(512, FINDINGS),
    )


def _block(inputs: int, outputs: int, kernel: int, stride: int, padding: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, stride, padding), nn.ReLU())


def _like_vgg() -> nn.Module:
    """VGG-11 (Simonyan and Zisserman 2015) for one channel, with narrower linear layers."""
    layers: list[nn.Module] = []
    inputs = 1
    for outputs, count in ((64, 1), (128, 1), (256, 2), (512, 2), (512, 2)):
        for _ in range(count):
            layers.append(_block(inputs, outputs, 3, 1, 1))
            inputs = outputs
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(512 * 7 * 7, 256), nn.ReLU(), nn.Linear(256, FINDINGS))


NETWORKS: Mapping[str, Callable[[], nn.Module]] = {
    "DenseNet-121 (MONAI)": lambda: DenseNet121(spatial_dims=2, in_channels=1, out_channels=FINDINGS),
    "ResNet-18 (MONAI)": lambda: resnet18(spatial_dims=2, n_input_channels=1, num_classes=FINDINGS),
    "SE-ResNet-50 (MONAI)": lambda: SEResNet50(spatial_dims=2, in_channels=1, num_classes=FINDINGS),
    "EfficientNet-B0 (MONAI)": lambda: EfficientNetBN(
        "efficientnet-b0", pretrained=False, spatial_dims=2, in_channels=1, num_classes=FINDINGS
    ),
    "AlexNet (plain torch)": _like_alexnet,
    "VGG-11 (plain torch)": _like_vgg,
}
"""Networks with random weights. The last two end in several linear layers, as in the paper's section 3."""

_FINER = {"AlexNet (plain torch)": "6", "VGG-11 (plain torch)": "11"}
"""Layers before the last pooling: the paper drops it for a finer map."""


def tail_figures() -> list[TailFigures]:
    """Replaces the tail of every network, and compares the classifier with it on noise."""
    return [_figures(name, make) for name, make in NETWORKS.items()]


@torch.inference_mode()
def _figures(name: str, make: Callable[[], nn.Module]) -> TailFigures:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network, films = make(), torch.randn(2, 1, SIDE, SIDE)
        _settle(network)
        classifier, refused = _classifier(network, films, _FINER.get(name))
    output = classifier(films)
    head = classifier.head
    logits = F.linear(output.features.double().mean(dim=(2, 3)), head.weight.double(), head.bias.double())
    rest = output.maps.mean(dim=(2, 3)) + head.bias - logits
    return TailFigures(
        network=name,
        refused=refused,
        layer=classifier.layer,
        cells=int(output.maps.shape[2]),
        kept=_kept(network, classifier, linear_kept=not refused),
        logit_difference=None if refused else float((output.logits - network(films)).abs().max()),
        map_difference=float(rest.abs().max()),
    )


def _settle(network: nn.Module) -> None:
    """Fits the batch normalisation of random weights to noise; as they come, deep networks give nought for anything."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None  # the plain average of what was seen
    network.train()
    network(torch.randn(8, 1, SIDE, SIDE))
    network.eval()


def _classifier(network: nn.Module, films: Tensor, layer: str | None) -> tuple[GapClassifier, str]:
    try:
        return with_gap_head(network, probe=films), ""
    except ModelError as error:
        return with_gap_head(network, replace=True, layer=layer, probe=films), error.message


def _kept(network: nn.Module, classifier: GapClassifier, *, linear_kept: bool) -> float:
    own = {tensor.detach().numpy().tobytes() for tensor in classifier.backbone.parameters()}
    if linear_kept:
        own |= {tensor.detach().numpy().tobytes() for tensor in classifier.head.parameters()}
    sizes = [(tensor.numel(), tensor.detach().numpy().tobytes() in own) for tensor in network.parameters()]
    return sum(size for size, kept in sizes if kept) / sum(size for size, _ in sizes)
