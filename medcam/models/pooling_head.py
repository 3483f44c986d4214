"""What a pooling head is: from features to class maps and logits."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from medcam.core.errors import ModelError
from medcam.core.relation import Relation


class HeadOutput(NamedTuple):
    """What a head makes of features.

    Attributes:
        logits: [n, findings].
        maps: [n, findings, h, w], the maps to show; `PoolingHead.relation` says how the logits follow from them.
        class_maps: [n, findings, h, w], sum over channels of weight * feature; the same as `maps` for most heads.
    """

    logits: Tensor
    maps: Tensor
    class_maps: Tensor


class PoolingHead(nn.Module):
    """Base of heads: a linear class map of the features, and a way to pool it.

    Args:
        channels: Of the features.
        findings: How many.
        nonnegative: Class weights cannot be negative (they pass through softplus).
    """

    relation: ClassVar[Relation] = Relation.UNSTATED
    """How the logit follows from the shown map and the bias."""

    ledger: ClassVar[bool] = False
    """Whether the shown map's cells add up to logit - bias; follows from the relation."""

    homogeneous: ClassVar[bool] = False
    """Whether pooling a map that is a times as high gives a times as much, for a > 0."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.ledger = cls.relation.ledger

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
        """Logits and maps of features [n, channels, h, w], in float32 in mixed precision too."""
        with torch.autocast(features.device.type, enabled=False):
            class_maps = self.class_map(features)
            maps = self.shown(class_maps)
            return HeadOutput(self.logits(features, maps), maps, class_maps)

    def shown(self, class_maps: Tensor) -> Tensor:
        """The maps to show of class maps [n, findings, h, w]: themselves, unless a head weights its cells."""
        return class_maps

    def logits(self, features: Tensor, maps: Tensor) -> Tensor:
        """Logits [n, findings]: pooled from the shown maps, unless a head pools the features themselves."""
        del features
        return self.pool(maps)

    def pool(self, maps: Tensor) -> Tensor:
        """Logits [n, findings] of the shown maps."""
        raise ModelError(f"{type(self).__name__} does not say how it pools", code="pooling-head")

    @torch.no_grad()
    def rescale(self, scale: Tensor) -> None:
        """Multiplies logit - bias by a positive scale [findings], in place; the relation holds on.

        Raises:
            ModelError: The head cannot (code "pooling-head"): its weights cannot be negative, or it does not say that
                it pools in proportion.
        """
        if self.nonnegative or not self.homogeneous:
            reason = "has non-negative class weights" if self.nonnegative else "does not pool in proportion to its map"
            raise ModelError(
                f"{type(self).__name__} cannot take a calibration: it {reason}",
                code="pooling-head",
                next_step="Use one of the package's own heads with plain class weights.",
            )
        self.weight.mul_(scale[:, None])
