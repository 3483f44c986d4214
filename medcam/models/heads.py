"""Pooling heads: from features to class maps and logits."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from medcam.core.errors import ModelError

ENTRY_POINTS = "medcam.pooling_heads"


class HeadOutput(NamedTuple):
    """logits [n, findings] and maps [n, findings, h, w]."""

    logits: Tensor
    maps: Tensor


class PoolingHead(nn.Module):
    """Base of heads: a linear class map of the features, and a way to pool it.

    Args:
        channels: Of the features.
        findings: How many.
        nonnegative: Class weights cannot be negative (they pass through softplus).
    """

    ledger = False
    """Whether mean(map) + bias is the logit."""

    def __init__(self, channels: int, findings: int, *, nonnegative: bool = False) -> None:
        super().__init__()
        self.nonnegative = nonnegative
        self.weight = nn.Parameter(torch.randn(findings, channels) / channels**0.5)
        self.bias = nn.Parameter(torch.zeros(findings))

    @property
    def class_weights(self) -> Tensor:
        """[findings, channels], as they multiply the features."""
        return F.softplus(self.weight) if self.nonnegative else self.weight

    def class_map(self, features: Tensor) -> Tensor:
        """Class activation maps [n, findings, h, w]: sum over channels of weight * feature (Zhou et al. 2015)."""
        return F.conv2d(features.float(), self.class_weights[:, :, None, None].float())

    def forward(self, features: Tensor) -> HeadOutput:
        """Logits and maps of features [n, channels, h, w]."""
        maps = self.class_map(features)
        return HeadOutput(self.pool(maps), maps)

    def pool(self, maps: Tensor) -> Tensor:
        """Logits [n, findings] of maps."""
        raise ModelError(f"{type(self).__name__} does not say how it pools", code="pooling-head")


class GapHead(PoolingHead):
    """Global average pooling: logit = mean of the map + bias, computed from the map in float32."""

    ledger = True

    def pool(self, maps: Tensor) -> Tensor:
        """mean over the grid + bias."""
        return maps.mean(dim=(2, 3)) + self.bias


HeadBuilder = Callable[..., PoolingHead]
_REGISTRY: dict[str, HeadBuilder] = {"gap": GapHead}


def register_head(name: str) -> Callable[[HeadBuilder], HeadBuilder]:
    """Registers a head(channels, findings, **options) under a name."""

    def add(builder: HeadBuilder) -> HeadBuilder:
        _REGISTRY[name] = builder
        return builder

    return add


def head_names() -> tuple[str, ...]:
    """All registered names, those of installed plug-ins included."""
    return tuple(sorted({*_REGISTRY, *(entry.name for entry in entry_points(group=ENTRY_POINTS))}))


def build_head(name: str, channels: int, findings: int, *, nonnegative: bool = False) -> PoolingHead:
    """Builds a head.

    Raises:
        ModelError: The name is unknown (`unknown-head`).
    """
    builder = _REGISTRY.get(name) or next(
        (entry.load() for entry in entry_points(group=ENTRY_POINTS) if entry.name == name), None
    )
    if builder is None:
        raise ModelError(
            f"no pooling head {name!r}", code="unknown-head", next_step=f"Known: {', '.join(head_names())}."
        )
    return builder(channels, findings, nonnegative=nonnegative)
