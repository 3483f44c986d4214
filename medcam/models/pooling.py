"""The pooling heads: the mean, max pooling of features and of the map, log-sum-exp, probabilistic CAM.

Each states on its class how the logit follows from the shown map (`relation`). S is the class map, sum_k W[c, k] F[k].
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from medcam.core.errors import ModelError
from medcam.core.relation import Relation
from medcam.models.pooling_head import PoolingHead


class GapHead(PoolingHead):
    """Global average pooling: logit = mean of the map + bias, computed from the map in float32."""

    relation = Relation.MEAN
    homogeneous = True

    def pool(self, maps: Tensor) -> Tensor:
        """mean over the grid + bias."""
        return maps.mean(dim=(2, 3)) + self.bias


class GmpHead(PoolingHead):
    """Global max pooling of the features, as Zhou et al. 2015 compare with: logit = sum_k W[c, k] max(F[k]) + b.

    The map is the class map S. Each channel's maximum may lie in another cell, so that S has no ledger.
    """

    relation = Relation.FEATURE_MAXIMA
    homogeneous = True

    def logits(self, features: Tensor, maps: Tensor) -> Tensor:
        """A linear function of the maxima over positions of the features [n, channels, h, w]."""
        del maps
        return F.linear(features.float().amax(dim=(2, 3)), self.class_weights.float(), self.bias)

    def pool(self, maps: Tensor) -> Tensor:
        """Refused: this logit does not follow from the map."""
        raise ModelError(
            f"the logit of a GMP head is {self.relation.words}",
            code="pooling-head",
            next_step="Take the logit from the network's own output.",
        )


class MapGmpHead(PoolingHead):
    """Max pooling of the class map: logit = max(S) + b. One cell decides; S has no ledger."""

    relation = Relation.MAXIMUM
    homogeneous = True

    def pool(self, maps: Tensor) -> Tensor:
        """max over the grid + bias."""
        return maps.amax(dim=(2, 3)) + self.bias


class LseHead(PoolingHead):
    """Log-sum-exp pooling (Pinheiro and Collobert 2015): logit = log(mean(exp(r S))) / r + b.

    Between the other two: the mean of S for r towards 0 (GAP, within r/2 times the map's variance), the maximum for r
    towards infinity (map-GMP, within log(cells) / r). Not linear in S, so that no cell has a share: no ledger.

    Args:
        channels: Of the features.
        findings: How many.
        nonnegative: Class weights cannot be negative.
        r: Sharpness at the start, positive. It is kept per finding: a calibration by `a` divides it by `a`, which makes
            the calibration exact.
    """

    relation = Relation.LOG_MEAN_EXP
    homogeneous = True
    sharpness: Tensor

    def __init__(self, channels: int, findings: int, *, nonnegative: bool = False, r: float = 5.0) -> None:
        super().__init__(channels, findings, nonnegative=nonnegative)
        if not (isinstance(r, int | float) and math.isfinite(r) and r > 0):
            raise ModelError("r of a log-sum-exp head must be a positive number", code="pooling-head")
        self.register_buffer("sharpness", torch.full((findings,), float(r)))

    def pool(self, maps: Tensor) -> Tensor:
        """log-mean-exp over the grid + bias, from differences to the maximum, so that nothing overflows."""
        cells = maps.flatten(2)
        top = cells.amax(dim=2, keepdim=True)
        # expm1 and log1p keep the digits where r is so small that every exponential is nearly 1.
        mean = torch.expm1(self.sharpness[:, None] * (cells - top)).mean(dim=2)
        return torch.log1p(mean) / self.sharpness + top[:, :, 0] + self.bias

    @torch.no_grad()
    def rescale(self, scale: Tensor) -> None:
        """As `PoolingHead.rescale`: log(mean(exp(r/a * a S))) / (r/a) = a * log(mean(exp(r S))) / r."""
        super().rescale(scale)
        self.sharpness.div_(scale)


class PcamHead(PoolingHead):
    """Probabilistic-CAM pooling (Ye et al. 2020): logit = sum(p S) + b, p = sigmoid(S) / sum(sigmoid(S)).

    The shown map is p S: its cells, weighted already, add up to logit - b. That is a ledger of sums, not of means.
    It is exact, but p depends on all cells: a cell's entry is its share of this logit, and not what the logit would
    lose without the cell. The paper's sigmoid sees S + b; here b stays out of it, so that a calibration's shift moves
    the logit and nothing else.

    Args:
        channels: Of the features.
        findings: How many.
        nonnegative: Class weights cannot be negative.
    """

    relation = Relation.SUM
    homogeneous = True
    sharpness: Tensor

    def __init__(self, channels: int, findings: int, *, nonnegative: bool = False) -> None:
        super().__init__(channels, findings, nonnegative=nonnegative)
        # sigmoid(sharpness * S); 1 but after a calibration, which must leave p as it was.
        self.register_buffer("sharpness", torch.ones(findings))

    def shown(self, class_maps: Tensor) -> Tensor:
        """p S of class maps [n, findings, h, w]; the softmax of log sigmoid is p, where S is far below 0 too."""
        scaled = self.sharpness[:, None, None] * class_maps
        weights = F.logsigmoid(scaled).flatten(2).softmax(dim=2).view_as(class_maps)
        return weights * class_maps

    def pool(self, maps: Tensor) -> Tensor:
        """sum over the grid + bias."""
        return maps.sum(dim=(2, 3)) + self.bias

    @torch.no_grad()
    def rescale(self, scale: Tensor) -> None:
        """As `PoolingHead.rescale`: the map grows, its probabilities stay."""
        super().rescale(scale)
        self.sharpness.div_(scale)
