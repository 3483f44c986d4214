"""The reference: the network itself, eager, fp32, on the CPU. Every other engine is measured against it."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from medcam.models.backbones import Backbone
from medcam.models.engines.names import TORCH


class Layers(nn.Module):
    """Some layers of a backbone as a module of its own: what engines run, export and copy.

    Args:
        backbone: The network.
        names: Layers that its `layers` tells, or its last one alone.
    """

    def __init__(self, backbone: Backbone, names: Sequence[str]) -> None:
        super().__init__()
        self.backbone, self.names = backbone, tuple(dict.fromkeys(names))

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Outputs [n, channels, h, w] in the order of the names."""
        if self.names == (self.backbone.layer,):
            return (self.backbone(images),)
        found = self.backbone.layers(images)
        return tuple(found[name] for name in self.names)


class ReferenceEngine:
    """A network as it is; see `FeatureEngine`.

    Args:
        backbone: The network, fp32, on the CPU, in evaluation mode. It is not copied.
        names: The layers wanted.
    """

    name = TORCH
    precision = "fp32"

    def __init__(self, backbone: Backbone, names: Sequence[str]) -> None:
        self._layers = Layers(backbone, names)

    def layers(self, images: Tensor) -> dict[str, Tensor]:
        """As `FeatureEngine.layers`."""
        return dict(zip(self._layers.names, self._layers(images), strict=True))
