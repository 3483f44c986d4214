"""Captum: one forward pass and one gradient per finding, signed unless told otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from medcam.experiments.bench.peers.peer import LAYER, Maps


class CaptumGradCam:
    """`captum.attr.LayerGradCam`; see `Peer`."""

    name, package, rectified = "captum LayerGradCam", "captum", False
    one_by_one = True

    @contextmanager
    def opened(self, network: nn.Module, findings: int, *, documented: bool) -> Iterator[Maps]:
        """As `Peer.opened`."""
        from captum.attr import LayerGradCam

        explain = LayerGradCam(network, network.get_submodule(LAYER))

        def maps(films: Tensor) -> Tensor:
            found = [explain.attribute(films, target=finding).detach() for finding in range(findings)]
            return torch.cat(found, dim=1)

        yield maps

    def by_one_target(self, network: nn.Module, films: Tensor, finding: int) -> Tensor:
        """As `Peer.by_one_target`."""
        from captum.attr import LayerGradCam

        one: Tensor = LayerGradCam(network, network.get_submodule(LAYER)).attribute(films, target=finding)
        return one.detach()[:, 0]
