"""The tail of a network that has several linear layers behind its pooling: a head without class maps.

No map adds up to such a logit. The head is named "none" (`medcam.core.card.NO_HEAD`), its relation is
unstated, and the model is explained by an attribution method that looks at the features.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from medcam.core.errors import ModelError
from medcam.models.pooling_head import HeadOutput, PoolingHead

ACTIVATIONS = {
    "relu": nn.ReLU,
    "leaky-relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
    "none": nn.Identity,
}
"""What may stand between the linear layers."""


class TailHead(PoolingHead):
    """Global average pooling, then linear layers with an activation between them.

    Args:
        channels: Of the features.
        findings: How many.
        nonnegative: Not offered.
        hidden: Outputs of each linear layer but the last.
        activation: A name of `ACTIVATIONS`.
    """

    def __init__(
        self,
        channels: int,
        findings: int,
        *,
        nonnegative: bool = False,
        hidden: Sequence[int] = (),
        activation: str = "relu",
    ) -> None:
        widths = [channels, *hidden]
        if nonnegative or not hidden or activation not in ACTIVATIONS:
            raise ModelError(
                "a head without class maps needs hidden layers and a known activation", code="unknown-head"
            )
        super().__init__(widths[-1], findings)
        self.hidden = nn.ModuleList(nn.Linear(*pair) for pair in pairwise(widths))
        self.activation = ACTIVATIONS[activation]()

    def forward(self, features: Tensor) -> HeadOutput:
        """Logits [n, findings] of features [n, channels, h, w]; maps of no cell."""
        pooled = features.float().mean(dim=(2, 3))
        for layer in self.hidden:
            pooled = self.activation(layer(pooled))
        logits = F.linear(pooled, self.weight, self.bias)
        none = torch.zeros(*logits.shape, 0, 0, device=logits.device)
        return HeadOutput(logits, none, none)
