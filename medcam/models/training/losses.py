"""Losses that make a map say where, from image-level labels alone.

All work on the class map before its scale: `cells` [n, findings, h, w]. The reported logit is scale * mean(cells) + bias,
which GAP makes a ledger; the others only shape the same map, so that the evidence lies where the finding is.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from medcam.models.training.config import Objective


def masked_mean(values: Tensor, known: Tensor) -> Tensor:
    """Mean of `values` where `known` is true; 0 where nothing is known."""
    weight = known.to(values.dtype)
    return (values * weight).sum() / weight.sum().clamp_min(1.0)


def classification_loss(logits: Tensor, labels: Tensor, positive_weight: Tensor) -> Tensor:
    """Multi-label cross-entropy over the known labels.

    Args:
        logits: [n, findings].
        labels: [n, findings], 1 present, 0 absent, -1 unknown.
        positive_weight: [findings].
    """
    loss = F.binary_cross_entropy_with_logits(
        logits, labels.clamp_min(0.0), pos_weight=positive_weight, reduction="none"
    )
    return masked_mean(loss, labels >= 0)


def peak_logits(cells: Tensor, bias: Tensor, count: int) -> Tensor:
    """Logit of the strongest cells, [n, findings]: their mean plus a bias (top-k pooling)."""
    strongest = cells.flatten(2).topk(min(count, cells.shape[2] * cells.shape[3]), dim=2).values
    return strongest.mean(dim=2) + bias


def negative_cells_loss(cells: Tensor, bias: Tensor, labels: Tensor) -> Tensor:
    """Every cell of a film without the finding should say no (multiple-instance learning's negative bags)."""
    each = F.softplus(cells + bias[:, None, None]).mean(dim=(2, 3))
    return masked_mean(each, labels == 0)


def sparsity_loss(maps: Tensor, labels: Tensor) -> Tensor:
    """Positive evidence in films without the finding, in logit units: maps [n, findings, h, w] after scaling."""
    return masked_mean(F.relu(maps).mean(dim=(2, 3)), labels == 0)


def pair_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """The film with a finding should score above its matched partner without it.

    Args:
        logits: [2 m, findings]; film i and film i + m are a pair.
        labels: [2 m, findings].
    """
    half = len(logits) // 2
    sign = labels[:half] - labels[half:]
    differs = (sign != 0) & (labels[:half] >= 0) & (labels[half:] >= 0)
    return masked_mean(F.softplus(1.0 - sign * (logits[:half] - logits[half:])), differs)


def objective_loss(
    cells: Tensor, parameters: MapParameters, labels: Tensor, weights: Objective, positive_weight: Tensor, *, paired: bool
) -> dict[str, Tensor]:
    """All weighted terms and their sum under "total".

    Args:
        cells: [n, findings, h, w], the class map before scaling.
        parameters: Scale and biases.
        labels: [n, findings].
        weights: The objective.
        positive_weight: [findings].
        paired: Whether the two halves of the batch are matched pairs.
    """
    maps = cells * parameters.scale[:, None, None]
    logits = maps.mean(dim=(2, 3)) + parameters.gap_bias
    terms: dict[str, Tensor] = {}
    if weights.gap:
        terms["gap"] = weights.gap * classification_loss(logits, labels, positive_weight)
    if weights.peak:
        peaks = peak_logits(cells, parameters.peak_bias, weights.peak_cells)
        terms["peak"] = weights.peak * classification_loss(peaks, labels, positive_weight)
    if weights.cells:
        terms["cells"] = weights.cells * negative_cells_loss(cells, parameters.peak_bias, labels)
    if weights.sparsity:
        terms["sparsity"] = weights.sparsity * sparsity_loss(maps, labels)
    if weights.pairs and paired:
        terms["pairs"] = weights.pairs * pair_loss(logits, labels)
    terms["total"] = torch.stack(list(terms.values())).sum()
    return terms


class MapParameters(torch.nn.Module):
    """What turns a class map into logits: a scale and a bias for GAP, a bias for the strongest cells.

    A finding of a few cells needs a much larger scale than one that fills a lung, because GAP divides by all cells;
    learning the scale apart lets gradients of both be of one size. It is folded into the head when training ends.

    Args:
        findings: How many.
        scale: Initial scale.
        bias: Initial bias of both logits.
    """

    def __init__(self, findings: int, *, scale: float = 10.0, bias: float = -2.0) -> None:
        super().__init__()
        self.log_scale = torch.nn.Parameter(torch.full((findings,), float(scale)).log())
        self.gap_bias = torch.nn.Parameter(torch.full((findings,), float(bias)))
        self.peak_bias = torch.nn.Parameter(torch.full((findings,), float(bias)))

    @property
    def scale(self) -> Tensor:
        """[findings], positive."""
        return self.log_scale.exp()
