"""Foreign networks: with a tail that keeps its logits as a GAP head, and with one that does not."""

from __future__ import annotations

from collections.abc import Callable

import torch
from monai.networks.nets import DenseNet121, EfficientNetBN, SENet, resnet18
from torch import Tensor, nn
from torch.nn import functional as F

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
