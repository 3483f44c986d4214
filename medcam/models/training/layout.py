"""How a network and its films lie in memory while it learns."""

from __future__ import annotations

import torch
from torch import nn

_BLOCK = 8
"""Channels that oneDNN's AVX2 kernels take at once."""


def learning_layout(network: nn.Module) -> torch.memory_format:
    """Channels last, which is faster, or in torch's own order where that would be unsafe.

    With oneDNN 3.12 (torch 2.13) on a processor that has AVX2 and nothing newer, the gradient of the weights of a
    strided 1x1 convolution of fewer than eight input channels is written past its end if channels lie last: the process
    ends with "double free or corruption", or goes on with broken numbers. Networks of real size have none.

    Args:
        network: Any.
    """
    unsafe = any(isinstance(module, nn.Conv2d) and _strided_and_narrow(module) for module in network.modules())
    return torch.contiguous_format if unsafe else torch.channels_last


def _strided_and_narrow(convolution: nn.Conv2d) -> bool:
    return convolution.kernel_size == (1, 1) and convolution.stride != (1, 1) and convolution.in_channels < _BLOCK
