"""The classifier that explains itself: backbone, optional units, pooling head, one forward pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from medcam.core.card import ModelCard
from medcam.core.errors import InvalidValueError
from medcam.models.backbones import Backbone, build_backbone
from medcam.models.heads import build_head
from medcam.models.pooling_head import PoolingHead
from medcam.models.tail_head import TailHead

SHARPNESS = 2.0
"""Of the units' softplus, log(1 + exp(sharpness * x)) / sharpness."""


class ClassifierOutput(NamedTuple):
    """What one forward pass gives.

    Attributes:
        logits: [n, findings].
        maps: [n, findings, h, w].
        features: [n, channels, h, w], what the class weights multiply.
        unit_logits: [n, findings, h, w], the findings' own units before their activation; None without such units.
        backbone: [n, channels, h, w], the backbone's features below such units; None without them.
        class_maps: [n, findings, h, w], the head's class maps where it shows others (PCAM); None where `maps` are they.
    """

    logits: Tensor
    maps: Tensor
    features: Tensor
    unit_logits: Tensor | None = None
    backbone: Tensor | None = None
    class_maps: Tensor | None = None

    @property
    def pooled(self) -> Tensor:
        """What an out-of-distribution gate judges, [n, k].

        The globally averaged features; with finding units, which are few and silent on most films, mean and standard
        deviation of each of the backbone's channels below them.
        """
        if self.backbone is None:
            return self.features.mean(dim=(2, 3))
        below = self.backbone.float()
        return torch.cat([below.mean(dim=(2, 3)), below.std(dim=(2, 3))], dim=1)


class GapClassifier(nn.Module):
    """A multi-label classifier whose maps come with its logits.

    Args:
        backbone: Feature extractor.
        head: Pooling head on the backbone's channels, or on one channel per finding with `finding_units`.
        finding_units: Puts a 1 x 1 convolution with one unit per finding and a softplus before the pooling, in the
            place of the paper's 1024 units: a finding's evidence is then nought where its unit is silent, so that
            thousands of silent cells do not drown a nodule in the average.
    """

    def __init__(self, backbone: Backbone, head: PoolingHead, *, finding_units: bool = False) -> None:
        super().__init__()
        self.backbone, self.head = backbone, head
        self.units: nn.Conv2d | None = None
        if finding_units:
            self.units = nn.Conv2d(backbone.out_channels, head.weight.shape[0], 1)
            with torch.no_grad():
                head.weight.copy_(torch.eye(*head.weight.shape))
        self.layer = "units.softplus" if finding_units else backbone.layer

    @property
    def pooled_size(self) -> int:
        """How many values `ClassifierOutput.pooled` has per film."""
        return int(self.head.weight.shape[1]) if self.units is None else 2 * self.backbone.out_channels

    def forward(self, images: Tensor) -> ClassifierOutput:
        """Logits, maps and features of images [n, channels, height, width], in one pass without hooks."""
        return self.read(self.backbone(images))

    def read(self, features: Tensor) -> ClassifierOutput:
        """The tail of `forward`: from the backbone's features [n, channels, h, w]."""
        unit_logits, below = None, None
        if self.units is not None:
            unit_logits, below = self.units(features), features
            features = F.softplus(unit_logits.float(), beta=SHARPNESS)
        logits, maps, class_maps = self.head(features)
        return ClassifierOutput(logits, maps, features, unit_logits, below, class_maps)


def new_network(
    backbone: str, backbone_options: Mapping[str, Any], head_options: Mapping[str, Any], findings: int
) -> GapClassifier:
    """A classifier with random weights.

    Args:
        backbone: Registry name.
        backbone_options: Options of `build_backbone`.
        head_options: "head" (registry name, "gap" by default, or "none" for a tail without class maps), "nonnegative",
            "finding_units", and the head's own, such as "r" of "lse".
        findings: How many outputs.
    """
    options = dict(head_options)
    finding_units = bool(options.pop("finding_units", False))
    body = build_backbone(backbone, **dict(backbone_options))
    name = str(options.pop("head", "gap"))
    if name == "none":
        return GapClassifier(body, TailHead(body.out_channels, findings, **options))
    head = build_head(
        name,
        findings if finding_units else body.out_channels,
        findings,
        nonnegative=bool(options.pop("nonnegative", False)),
        **options,
    )
    return GapClassifier(body, head, finding_units=finding_units)


def build_classifier(card: ModelCard) -> GapClassifier:
    """The network that a card describes, with random weights."""
    options: dict[str, Any] = dict(card.backbone_options)
    head: dict[str, Any] = {"head": card.head} | dict(options.pop("head", {}))
    options.setdefault("in_channels", card.input.channels)
    return new_network(card.backbone, options, head, len(card.findings))


@torch.no_grad()
def fold_calibration(classifier: GapClassifier, scale: Tensor, shift: Tensor) -> None:
    """Folds logit -> scale * logit + shift into the head, in place; the head's relation holds on.

    Pooling that grows in proportion to its map turns an affine calibration (Platt 1999) into a change of class weights
    and bias; see `PoolingHead.rescale` for the heads whose sharpness changes with it.

    Args:
        classifier: With freely signed class weights.
        scale: [findings], positive: a calibration never turns a finding around.
        shift: [findings].

    Raises:
        ModelError: The head cannot take a calibration (code "pooling-head").
        InvalidValueError: A scale is not positive.
    """
    head = classifier.head
    if not bool((scale > 0).all()):
        raise InvalidValueError("a calibration's scale must be positive")
    head.rescale(scale)
    head.bias.mul_(scale).add_(shift)
