"""Networks as other packages write them: torchvision's DenseNet and ResNet in a few lines, with random weights."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class DenseLayer(nn.Module):
    def __init__(self, channels: int, growth: int) -> None:
        super().__init__()
        self.norm1, self.conv1 = nn.BatchNorm2d(channels), nn.Conv2d(channels, 4 * growth, 1, bias=False)
        self.norm2, self.conv2 = nn.BatchNorm2d(4 * growth), nn.Conv2d(4 * growth, growth, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, self.conv2(F.relu(self.norm2(self.conv1(F.relu(self.norm1(x))))))], 1)


class PlainDenseNet(nn.Module):
    def __init__(self, channels: int, outputs: int, blocks: tuple[int, ...] = (2, 2, 2, 2), growth: int = 8) -> None:
        super().__init__()
        width = 16
        parts: list[tuple[str, nn.Module]] = [
            ("conv0", nn.Conv2d(channels, width, 7, 2, 3, bias=False)),
            ("norm0", nn.BatchNorm2d(width)),
            ("relu0", nn.ReLU()),
            ("pool0", nn.MaxPool2d(3, 2, 1)),
        ]
        for number, count in enumerate(blocks, 1):
            layers = [(f"denselayer{n + 1}", DenseLayer(width + n * growth, growth)) for n in range(count)]
            parts.append((f"denseblock{number}", nn.Sequential(OrderedDict(layers))))
            width += count * growth
            if number < len(blocks):
                transition = [
                    ("norm", nn.BatchNorm2d(width)),
                    ("relu", nn.ReLU()),
                    ("conv", nn.Conv2d(width, width // 2, 1, bias=False)),
                    ("pool", nn.AvgPool2d(2, 2)),
                ]
                parts.append((f"transition{number}", nn.Sequential(OrderedDict(transition))))
                width //= 2
        parts.append(("norm5", nn.BatchNorm2d(width)))
        self.features = nn.Sequential(OrderedDict(parts))
        self.classifier: nn.Module = nn.Linear(width, outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(F.relu(self.features(x)).mean(dim=(2, 3)))


class Block(nn.Module):
    def __init__(self, channels: int, width: int, stride: int, *, bottleneck: bool) -> None:
        super().__init__()
        self.bottleneck, out = bottleneck, width * (4 if bottleneck else 1)
        if bottleneck:
            self.conv1, self.bn1 = nn.Conv2d(channels, width, 1, bias=False), nn.BatchNorm2d(width)
            self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
            self.bn2 = nn.BatchNorm2d(width)
            self.conv3, self.bn3 = nn.Conv2d(width, out, 1, bias=False), nn.BatchNorm2d(out)
        else:
            self.conv1, self.bn1 = nn.Conv2d(channels, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width)
            self.conv2, self.bn2 = nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width)
        self.downsample: nn.Module | None = None
        if stride != 1 or channels != out:
            self.downsample = nn.Sequential(nn.Conv2d(channels, out, 1, stride, bias=False), nn.BatchNorm2d(out))

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.bottleneck:
            y = self.bn3(self.conv3(F.relu(y)))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class PlainResNet(nn.Module):
    def __init__(
        self, channels: int, outputs: int, blocks: tuple[int, ...], width: int = 8, *, bottleneck: bool = False
    ) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(channels, width, 7, 2, 3, bias=False), nn.BatchNorm2d(width)
        self.maxpool, have = nn.MaxPool2d(3, 2, 1), width
        for stage, count in enumerate(blocks):
            wide = width * 2**stage
            made = []
            for number in range(count):
                made.append(Block(have, wide, 2 if stage and not number else 1, bottleneck=bottleneck))
                have = wide * (4 if bottleneck else 1)
            setattr(self, f"layer{stage + 1}", nn.Sequential(*made))
        self.fc: nn.Module = nn.Linear(have, outputs)

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(F.relu(self.bn1(self.conv1(x))))
        return self.fc(self.layer4(self.layer3(self.layer2(self.layer1(x)))).mean(dim=(2, 3)))


@torch.no_grad()
def lively(network: nn.Module, seed: int = 0) -> nn.Module:
    """The network with weights and statistics that differ everywhere, so that a forgotten tensor shows."""
    generator = torch.Generator().manual_seed(seed)
    for name, value in network.state_dict().items():
        if value.dtype.is_floating_point:
            noise = torch.randn(value.shape, generator=generator)
            if name.endswith("running_var"):
                value.copy_(1.0 + noise.abs())
            elif value.ndim == 1:
                value.add_(0.1 * noise)
            else:
                value.copy_(noise / value[0].numel() ** 0.5)
    return network.eval()
