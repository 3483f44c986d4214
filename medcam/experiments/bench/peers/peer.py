"""What a peer is: a way to the maps of all findings of one network."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from torch import Tensor, nn

LAYER, LINEAR = "class_layers.relu", "class_layers.out"
"""MONAI's names of the last feature map of its DenseNet, and of the linear layer behind the pooling."""

Maps = Callable[[Tensor], Tensor]
"""From films [n, channels, height, width] to maps [n, findings, h, w], on the library's own grid."""


class Peer(Protocol):
    """A way to maps. Its library is imported when it is opened, and not before."""

    @property
    def name(self) -> str:
        """Such as "torchcam GradCAM"."""
        ...

    @property
    def package(self) -> str:
        """The distribution that brings it."""
        ...

    @property
    def rectified(self) -> bool:
        """Whether its method drops what is negative (Grad-CAM's ReLU, Selvaraju et al. 2017, eq. 2)."""
        ...

    @property
    def one_by_one(self) -> bool:
        """Whether it goes through the whole network again for each finding."""
        ...

    def opened(self, network: nn.Module, findings: int, *, documented: bool) -> AbstractContextManager[Maps]:
        """Sets it up on a network; it is closed as its documentation advises.

        Args:
            network: MONAI's DenseNet, in evaluation mode; its own, since some peers leave it changed.
            findings: How many outputs it has.
            documented: The call as documented, with all that it does to a map; otherwise the rawest map that there is.
        """
        ...

    def by_one_target(self, network: nn.Module, films: Tensor, finding: int) -> Tensor:
        """Maps [n, h, w] of one finding of all films, by one call that names the finding once."""
        ...


def hooks_on(network: nn.Module) -> int:
    """How many hooks sit on the modules of a network."""
    kinds = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    return sum(len(getattr(module, kind)) for module in network.modules() for kind in kinds)
