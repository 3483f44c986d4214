"""The classifier that explains itself: backbone, optional units, pooling head, one forward pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from medcam.core.card import ModelCard
from medcam.core.errors import InvalidValueError, ModelError
from medcam.models.backbones import Backbone, build_backbone
from medcam.models.heads import PoolingHead, build_head

ACTIVATIONS = {"relu": nn.ReLU, "softplus": nn.Softplus, "sigmoid": nn.Sigmoid}


class ClassifierOutput(NamedTuple):
    """logits [n, findings], maps [n, findings, h, w] and the features [n, channels, h, w] that were weighted."""

    logits: Tensor
    maps: Tensor
    features: Tensor


class GapClassifier(nn.Module):
    """A multi-label classifier whose maps come with its logits.

    Args:
        backbone: Feature extractor.
        head: Pooling head on `units` channels, or on the backbone's without units.
        units: Channels of the convolution that the paper puts before the pooling; 0 leaves it out.
        unit_kernel: Its kernel, 1 or 3.
        unit_activation: "relu", "softplus" or "sigmoid".
    """

    def __init__(
        self,
        backbone: Backbone,
        head: PoolingHead,
        *,
        units: int = 0,
        unit_kernel: int = 3,
        unit_activation: str = "relu",
    ) -> None:
        super().__init__()
        if unit_activation not in ACTIVATIONS:
            raise ModelError(f"no activation {unit_activation!r}", code="unknown-head")
        self.backbone, self.head = backbone, head
        self.units: nn.Module = nn.Identity()
        if units:
            convolution = nn.Conv2d(backbone.out_channels, units, unit_kernel, padding=unit_kernel // 2)
            self.units = nn.Sequential(convolution, ACTIVATIONS[unit_activation]())
        self.layer = "units" if units else backbone.layer

    def forward(self, images: Tensor) -> ClassifierOutput:
        """Logits, maps and features of images [n, channels, height, width], in one pass without hooks."""
        features = self.units(self.backbone(images))
        logits, maps = self.head(features)
        return ClassifierOutput(logits, maps, features)


def new_network(
    backbone: str, backbone_options: Mapping[str, Any], head_options: Mapping[str, Any], findings: int
) -> GapClassifier:
    """A classifier with random weights.

    Args:
        backbone: Registry name.
        backbone_options: Options of `build_backbone`.
        head_options: "head" (registry name, "gap" by default), "nonnegative", "units", "unit_kernel", "unit_activation".
        findings: How many outputs.
    """
    options = dict(head_options)
    body = build_backbone(backbone, **dict(backbone_options))
    channels = int(options.get("units", 0)) or body.out_channels
    head = build_head(
        str(options.pop("head", "gap")), channels, findings, nonnegative=bool(options.pop("nonnegative", False))
    )
    return GapClassifier(body, head, **options)


def build_classifier(card: ModelCard) -> GapClassifier:
    """The network that a card describes, with random weights."""
    options: dict[str, Any] = dict(card.backbone_options)
    head: dict[str, Any] = {"head": card.head} | dict(options.pop("head", {}))
    options.setdefault("in_channels", card.input.channels)
    return new_network(card.backbone, options, head, len(card.findings))


@torch.no_grad()
def fold_calibration(classifier: GapClassifier, scale: Tensor, shift: Tensor) -> None:
    """Folds logit -> scale * logit + shift into the head, in place; the ledger holds on.

    GAP is linear, so that an affine calibration (Platt 1999) is a change of class weights and bias.

    Args:
        classifier: With a ledger and freely signed class weights.
        scale: [findings], positive: a calibration never turns a finding around.
        shift: [findings].
    """
    head = classifier.head
    if not head.ledger or head.nonnegative:
        raise ModelError("only a GAP head with plain class weights can take a calibration", code="pooling-head")
    if not bool((scale > 0).all()):
        raise InvalidValueError("a calibration's scale must be positive")
    head.weight.mul_(scale[:, None])
    head.bias.mul_(scale).add_(shift)
