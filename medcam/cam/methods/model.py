"""What attribution methods ask of a network, without knowing which one it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from torch import Tensor, nn


@runtime_checkable
class GradientModel(Protocol):
    """A network that can be cut at a layer: features come out there, and others can be put in.

    Calls are pure: no hook outlives one, and the network is left as it was.
    """

    @property
    def network(self) -> nn.Module:
        """The whole network."""
        ...

    @property
    def layer(self) -> str:
        """Name of the layer at which it is cut."""
        ...

    @property
    def findings(self) -> int:
        """How many logits it has."""
        ...

    def features(self, images: Tensor) -> Tensor:
        """The layer's output [n, k, h, w] for images [n, channels, height, width]."""
        ...

    def logits(self, images: Tensor, features: Tensor | None = None) -> Tensor:
        """Logits [n, findings], differentiable.

        Args:
            images: [n, channels, height, width].
            features: [n, k, h, w], taken in place of the layer's own output; None for that output.
        """
        ...


@runtime_checkable
class ClassMapModel(GradientModel, Protocol):
    """A network whose head makes class activation maps."""

    def class_maps(self, features: Tensor) -> Tensor:
        """Maps [n, findings, h, w] of the layer's features [n, k, h, w], as the head shows them."""
        ...


@runtime_checkable
class Differentiable(Protocol):
    """A classifier that lets attribution methods see its network."""

    def gradient_model(self) -> GradientModel:
        """Its network, cut at the layer that its maps come from.

        Raises:
            ModelError: It cannot be cut (code "cam-method").
        """
        ...
