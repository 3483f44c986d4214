"""Small networks with random weights, cut for attribution methods."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from medcam.cam.methods.model import GradientModel
from medcam.models.backbones import build_backbone
from medcam.models.classifier import GapClassifier
from medcam.models.gradient import HookedNetwork, SplitNetwork
from medcam.models.heads import build_head

FINDINGS = 3
HEIGHT, WIDTH = 48, 40


class Tailed(nn.Module):
    """A network with a tail that no ledger fits: dropout, two linear layers, ReLUs that write into what they read."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 6, 5, stride=2, padding=2)
        self.norm = nn.BatchNorm2d(6)
        self.relu = nn.ReLU(inplace=True)
        self.second = nn.Conv2d(6, 5, 3, stride=2, padding=1)
        self.pool = nn.AdaptiveAvgPool2d(3)
        self.dropout = nn.Dropout(0.5)
        self.hidden = nn.Linear(45, 8)
        self.last = nn.Linear(8, FINDINGS)

    def forward(self, images: Tensor) -> Tensor:
        features = self.second(self.relu(self.norm(self.first(images))))
        pooled = self.dropout(self.pool(torch.relu_(features)).flatten(1))
        return self.last(torch.relu(self.hidden(pooled)))


class Flat(nn.Module):
    """One linear layer on the flattened feature map: no pooling at all."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(1, 4, 8, stride=8)
        self.relu = nn.ReLU()
        self.linear = nn.Linear(4 * (HEIGHT // 8) * (WIDTH // 8), FINDINGS)

    def forward(self, images: Tensor) -> Tensor:
        return self.linear(self.relu(self.convolution(images)).flatten(1))


def seeded(build, seed: int = 3):
    """What `build` makes with random weights of a seed, all statistics and biases random too, in evaluation mode."""
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(seed)
        network = build()
        for name, value in network.state_dict().items():
            if name.endswith("running_var"):
                value.uniform_(0.5, 2.0)
            elif name.endswith(("bias", "running_mean")):
                value.normal_(0.0, 0.3)
    return network.eval()


def gap_classifier(head: str = "gap", **options) -> GapClassifier:
    def build() -> GapClassifier:
        backbone = build_backbone("resnet", stride=8, layers=[1, 1, 1, 1], block_inplanes=[8, 8, 8, 8])
        units = options.get("finding_units", False)
        return GapClassifier(backbone, build_head(head, FINDINGS if units else 8, FINDINGS), **options)

    return seeded(build)


MODELS = {
    "gap": lambda: SplitNetwork(gap_classifier()),
    "finding-units": lambda: SplitNetwork(gap_classifier(finding_units=True)),
    "gmp": lambda: SplitNetwork(gap_classifier("gmp")),
    "foreign": lambda: HookedNetwork(seeded(Tailed), "second", FINDINGS),
}


def model(name: str) -> GradientModel:
    return MODELS[name]()


def films(count: int, seed: int = 0) -> np.ndarray:
    """float32 [count, 1, height, width]: noise on a blob that lies elsewhere on each."""
    generator = np.random.default_rng(seed)
    values = generator.normal(0.0, 0.7, (count, 1, HEIGHT, WIDTH))
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    for one in values:
        row, column = generator.uniform(10, HEIGHT - 10), generator.uniform(10, WIDTH - 10)
        one += 3.0 * np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / 40.0)
    return values.astype(np.float32)
