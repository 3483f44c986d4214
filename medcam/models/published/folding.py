"""Three equal channels as one: the first convolution folded, exactly at the border too.

A network made for colour sees a grey film g as x_c = (g - m_c) / s_c for its three channels c, padded with zeros. With
m the mean of the m_c, x_c = (g - m) / s_c + (m - m_c) / s_c. The first part is one channel g - m, whose weights are the
sum of w_c / s_c: the mean is subtracted before padding. The second part is a constant, but only where there is no
padding: it is a channel of ones, padded alike, whose weights are the sum of w_c (m - m_c) / s_c. Where all m_c are
equal there is no such part. Folding the means into a bias instead would be wrong along the border.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from medcam.core.errors import InvalidValueError


class Folded(NamedTuple):
    """A first convolution for one grey channel.

    Attributes:
        weight: [k, 1, h, w], or [k, 2, h, w] with a channel of ones behind the grey one.
        black: What the grey channel is where the film is black.
        white: What it is where it is white.
    """

    weight: Tensor
    black: float
    white: float

    @property
    def constant_channel(self) -> bool:
        """Whether it wants the channel of ones."""
        return int(self.weight.shape[1]) == 2


def fold_grey(weight: Tensor, mean: Sequence[float], std: Sequence[float]) -> Folded:
    """Folds equal channels and their normalisation into a first convolution.

    Args:
        weight: [k, c, h, w].
        mean: Of each of its c channels, for brightness 0..1.
        std: Of each of its c channels, positive.

    Raises:
        InvalidValueError: The numbers of channels differ, or a standard deviation is not positive.
    """
    channels = int(weight.shape[1])
    if len(mean) != channels or len(std) != channels or not all(value > 0 for value in std):
        raise InvalidValueError(f"the network has {channels} channels: give a mean and a positive deviation for each")
    if channels == 1:
        return Folded(weight, (0.0 - mean[0]) / std[0], (1.0 - mean[0]) / std[0])
    exact, means = weight.double(), torch.tensor(mean, dtype=torch.float64)
    scaled = exact / torch.tensor(std, dtype=torch.float64)[None, :, None, None]
    middle = float(means.mean())
    parts = [scaled.sum(dim=1)]
    if len(set(mean)) > 1:
        parts.append((scaled * (middle - means)[None, :, None, None]).sum(dim=1))
    return Folded(torch.stack(parts, dim=1).float(), -middle, 1.0 - middle)
