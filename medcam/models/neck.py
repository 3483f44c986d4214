"""A neck that joins a network's stages into one fine feature map (feature pyramid, Lin et al. 2017).

Deep stages know what they see and are coarse; the first stage is fine and knows edges alone. The map of a thin rim or
of a nodule of a few cells needs both.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Neck(nn.Module):
    """Joins stages at the size of the first.

    Args:
        channels: Channels of the stages, the finest first; it may be the only one.
        width: Channels of the result.
    """

    def __init__(self, channels: Sequence[int], width: int) -> None:
        super().__init__()
        self.fine = nn.Conv2d(channels[0], width, 1, bias=False)
        self.deep = nn.Conv2d(sum(channels[1:]), width, 1, bias=False) if len(channels) > 1 else None
        self.norm = nn.BatchNorm2d(width)
        self.mix = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.mix_norm = nn.BatchNorm2d(width)

    def forward(self, stages: Sequence[Tensor]) -> Tensor:
        """Features [n, width, h, w], not negative, of stages [n, c, h, w]: the finest first, the others of one size."""
        joined = self.fine(stages[0])
        if self.deep is not None:
            deep = self.deep(torch.cat(list(stages[1:]), dim=1))
            joined = joined + F.interpolate(deep, size=joined.shape[2:], mode="bilinear")
        joined = torch.relu(self.norm(joined))
        return torch.relu(self.mix_norm(self.mix(joined)))
