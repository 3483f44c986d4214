"""Losses that make a map say where, without any outline, and one that uses outlines to measure what they would add.

The reported logit is scale * pooled(map) + bias, which GAP makes a ledger. The other losses only shape the same map, so
that the evidence lies where the finding is. They know whether a film has the finding and how much of a film such a
finding can cover at least and at most (a size constraint as in Kervadec et al. 2019). `pair_loss` knows more: two films
of the same patient with and without the finding, which only a simulator gives. Sets without pairs do without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from medcam.core.relation import Relation
from medcam.models.classifier import ClassifierOutput, GapClassifier
from medcam.models.training.config import Objective

CHANGED, SAME = 0.25, 0.06
"""Shares of a pair's largest difference above which a cell counts as changed, and below which as the same."""


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


class CellCounts(NamedTuple):
    """Cells of each finding's smallest and largest extent: int64 [findings] each."""

    smallest: Tensor
    largest: Tensor

    @classmethod
    def of(cls, names: Sequence[str], objective: Objective, cells: int, focus: float = 1.0) -> CellCounts:
        """Counts for maps of so many cells; at least one, and at least one cell is left as background.

        Args:
            names: The findings.
            objective: Their extents.
            cells: Cells of a map.
            focus: 0 takes all cells for the smallest extent, 1 the extent itself, geometrically between: training
                starts by asking whether a film has a finding anywhere, and asks ever more narrowly.
        """
        extents = [objective.extent(name) for name in names]
        narrow = [max(1, round(extent.smallest * cells)) for extent in extents]
        smallest = [max(1, round(cells ** (1.0 - focus) * count**focus)) for count in narrow]
        largest = [
            min(cells - 1, max(count, round(extent.largest * cells)))
            for count, extent in zip(narrow, extents, strict=True)
        ]
        return cls(torch.tensor(smallest), torch.tensor(largest))


def positives_loss(ranked: Tensor, labels: Tensor, counts: CellCounts) -> Tensor:
    """In a film with the finding, its strongest cells should say yes, each by itself.

    Args:
        ranked: [n, findings, cells], cell logits in falling order.
        labels: [n, findings].
        counts: How many cells are asked: the smallest extent.
    """
    rank = torch.arange(ranked.shape[2], device=ranked.device)
    chosen = (rank < counts.smallest.to(ranked.device)[:, None]).to(ranked.dtype)
    each = (F.softplus(-ranked) * chosen).sum(dim=2) / chosen.sum(dim=1)
    return masked_mean(each, labels == 1)


def negatives_loss(ranked: Tensor, labels: Tensor, focus: float) -> Tensor:
    """Every cell of a film without the finding should say no (negative bags of multiple-instance learning).

    With growing focus, up to half of the weight lies on the strongest one in a hundred: the cells that would be false
    findings.
    """
    each = F.softplus(ranked)
    hardest = each[:, :, : max(1, each.shape[2] // 100)].mean(dim=2)
    return masked_mean((1.0 - 0.5 * focus) * each.mean(dim=2) + 0.5 * focus * hardest, labels == 0)


def background_loss(ranked: Tensor, labels: Tensor, counts: CellCounts) -> Tensor:
    """In a film with the finding, the cells beyond its largest extent should say no (a size constraint)."""
    rank = torch.arange(ranked.shape[2], device=ranked.device)
    beyond = (rank >= counts.largest.to(ranked.device)[:, None]).to(ranked.dtype)
    each = (F.softplus(ranked) * beyond).sum(dim=2) / beyond.sum(dim=1)
    return masked_mean(each, labels == 1)


class Contrast(NamedTuple):
    """How the two films of matched pairs differ: bool [m, 1, h, w] each; cells in none of them are left open."""

    denser: Tensor
    darker: Tensor
    same: Tensor

    @classmethod
    def of(cls, films: Tensor, height: int, width: int) -> Contrast:
        """Compares film i with film i + m of float [2 m, 1, H, W], on a grid of map cells.

        "denser" is where film i is brighter than its partner: films have dense tissue bright.
        """
        half = len(films) // 2
        difference = (films[:half] - films[half:]).float()
        difference = difference - difference.flatten(1).median(dim=1).values[:, None, None, None]
        smooth = F.avg_pool2d(difference, 3, stride=1, padding=1)
        cells = F.adaptive_avg_pool2d(smooth, (height, width))
        strength = F.adaptive_avg_pool2d(smooth.abs(), (height, width))
        top = strength.flatten(1).topk(2, dim=1).values.mean(dim=1)[:, None, None, None]
        return cls(cells > CHANGED * top, cells < -CHANGED * top, strength < SAME * top)


def pair_loss(cells: Tensor, labels: Tensor, contrast: Contrast, darker: Tensor) -> Tensor:
    """A finding's evidence should lie where it makes a difference to the film, and nowhere else.

    The films of a pair show the same patient in the same place, one with a finding and one without it: whatever differs
    between them is owed to it. No outline is used, but a pair discloses where to look: that is more than a label of a
    single film does, and only a simulator gives it.

    Args:
        cells: [2 m, findings, h, w], cell logits; film i and film i + m are a pair.
        labels: [2 m, findings].
        contrast: How the films differ.
        darker: bool [findings], whether the finding makes its cells darker (air) instead of denser.
    """
    half = len(cells) // 2
    sign = labels[:half] - labels[half:]
    differs = (sign != 0) & (labels[:half] >= 0) & (labels[half:] >= 0)
    first = (sign > 0)[:, :, None, None]
    with_it = torch.where(first, cells[:half], cells[half:])
    # The second film's being brighter is the first one's being darker.
    changed = torch.where(first ^ darker[:, None, None], contrast.denser, contrast.darker).to(cells.dtype)
    same = contrast.same.to(cells.dtype)
    yes = (F.softplus(-with_it) * changed).sum(dim=(2, 3)) / changed.sum(dim=(2, 3)).clamp_min(1.0)
    no = (F.softplus(with_it) * same).sum(dim=(2, 3)) / same.sum(dim=(2, 3)).clamp_min(1.0)
    return masked_mean(yes + no, differs)


def mask_loss(cells: Tensor, masks: Tensor, labels: Tensor) -> Tensor:
    """Dense supervision: cross-entropy of every cell, and soft Dice (Milletari et al. 2016) where the finding is.

    Args:
        cells: [n, findings, h, w], cell logits.
        masks: [n, findings, H, W], share of the finding in each pixel of a grid of any resolution.
        labels: [n, findings], 1 present, 0 absent, -1 unknown.
    """
    height, width = cells.shape[2:]
    truth = F.adaptive_avg_pool2d(masks, (height, width))
    entropy = F.binary_cross_entropy_with_logits(cells, truth, reduction="none").mean(dim=(2, 3))
    yes = torch.sigmoid(cells)
    overlap = (yes * truth).sum(dim=(2, 3))
    dice = 1.0 - (2.0 * overlap + 1.0) / (yes.sum(dim=(2, 3)) + truth.sum(dim=(2, 3)) + 1.0)
    return masked_mean(entropy, labels >= 0) + masked_mean(dice, labels == 1)


def outlined(masks: Tensor, labels: Tensor) -> Tensor:
    """Findings that are present and whose place is marked: bool [n, findings], of masks [n, findings, H, W]."""
    return (labels == 1) & (masks > 0.5).flatten(2).any(dim=2)


def box_loss(cells: Tensor, masks: Tensor, known: Tensor) -> Tensor:
    """Mixed supervision: where somebody marked the place, the cells inside say yes and those outside say no.

    Li et al. 2018 ("Thoracic Disease Identification and Localization with Limited Supervision", CVPR) take the product
    of the cells' probabilities inside a box and of their complements outside. Its logarithm is the sum of the cells'
    cross-entropies; here the mean over each side is taken instead, so that large and small boxes weigh the same.

    Args:
        cells: [n, findings, h, w], cell logits.
        masks: [n, findings, H, W], 1 inside the marks, on a grid of any resolution.
        known: bool [n, findings], whose place is marked; see `outlined`.
    """
    height, width = cells.shape[2:]
    # A mark that is smaller than a cell still asks for that cell.
    inside = (F.adaptive_max_pool2d(masks, (height, width)) > 0.5).to(cells.dtype)
    outside = 1.0 - inside
    yes = (F.softplus(-cells) * inside).sum(dim=(2, 3)) / inside.sum(dim=(2, 3)).clamp_min(1.0)
    no = (F.softplus(cells) * outside).sum(dim=(2, 3)) / outside.sum(dim=(2, 3)).clamp_min(1.0)
    return masked_mean(yes + no, known)


def objective_loss(
    films: Tensor,
    output: ClassifierOutput,
    parameters: MapParameters,
    labels: Tensor,
    objective: Objective,
    names: Sequence[str],
    positive_weight: Tensor,
    *,
    paired: bool,
    focus: float = 1.0,
    masks: Tensor | None = None,
) -> dict[str, Tensor]:
    """All weighted terms and their sum under "total".

    Args:
        films: [n, 1, H, W], as the classifier saw them.
        output: Of the classifier in training: its map before the scale.
        parameters: Scale and biases.
        labels: [n, findings].
        objective: The weights.
        names: The findings.
        positive_weight: [findings].
        focus: 0 at the start of training, 1 from when on the extents count in full; see `CellCounts.of`. The loss that
            silences films with the finding grows with it: a map silenced before it has learnt anything never speaks.
        paired: Whether the two halves of the batch are matched pairs.
        masks: [n, findings, H, W] moved as the films were, for dense and mixed supervision.
    """
    logits = parameters.logits(output.logits)
    cells = parameters.cell_logits(output)
    ranked = cells.flatten(2).sort(dim=2, descending=True).values
    counts = CellCounts.of(names, objective, ranked.shape[2], focus)
    terms: dict[str, Tensor] = {}
    unplaced = labels
    if objective.boxes and masks is not None:
        known = outlined(masks, labels)
        terms["boxes"] = objective.boxes * box_loss(cells, masks, known)
        # Where the place is known, which of the cells must say yes is no longer the map's own choice.
        unplaced = labels.masked_fill(known, -1.0)
    if objective.gap:
        terms["gap"] = objective.gap * classification_loss(logits, labels, positive_weight)
    if objective.positives:
        terms["positives"] = objective.positives * positives_loss(ranked, unplaced, counts)
    if objective.negatives:
        terms["negatives"] = objective.negatives * negatives_loss(ranked, labels, focus)
    if objective.background:
        terms["background"] = focus * objective.background * background_loss(ranked, unplaced, counts)
    if objective.pairs and paired:
        darker = torch.tensor([objective.extent(name).darker for name in names], device=cells.device)
        contrast = Contrast.of(films, *cells.shape[2:])
        terms["pairs"] = objective.pairs * pair_loss(cells, labels, contrast, darker)
    if objective.masks and masks is not None:
        terms["masks"] = objective.masks * mask_loss(cells, masks, labels)
    terms["total"] = torch.stack(list(terms.values())).sum()
    return terms


class MapParameters(torch.nn.Module):
    """What turns a class map into logits: a scale and a bias for what the head pooled, a bias for single cells.

    A finding of a few cells needs a much larger scale than one that fills a lung, because GAP divides by all cells;
    learning the scale apart lets gradients of both be of one size. It is folded into the head when training ends. Heads
    that do not divide by all cells start with a scale of 1.

    Args:
        findings: How many.
        scale: Initial scale.
        bias: Initial bias of both logits.
    """

    @classmethod
    def of(cls, classifier: GapClassifier, findings: int) -> MapParameters:
        """What a classifier's training starts with."""
        return cls(findings) if classifier.head.relation is Relation.MEAN else cls(findings, scale=1.0)

    def __init__(self, findings: int, *, scale: float = 10.0, bias: float = -2.0) -> None:
        super().__init__()
        self.log_scale = torch.nn.Parameter(torch.full((findings,), float(scale)).log())
        self.gap_bias = torch.nn.Parameter(torch.full((findings,), float(bias)))
        self.cell_bias = torch.nn.Parameter(torch.full((findings,), float(bias)))

    @property
    def scale(self) -> Tensor:
        """[findings], positive."""
        return self.log_scale.exp()

    def logits(self, pooled: Tensor) -> Tensor:
        """Logits [n, findings] of a head's own logits, without bias and before the scale."""
        return pooled.float() * self.scale + self.gap_bias

    def cell_logits(self, output: ClassifierOutput) -> Tensor:
        """Logit of each cell [n, findings, h, w]: the finding's own unit before its activation, else the map."""
        if output.unit_logits is not None:
            return output.unit_logits.float()
        maps = output.maps if output.class_maps is None else output.class_maps
        return maps.float() + self.cell_bias[:, None, None]
