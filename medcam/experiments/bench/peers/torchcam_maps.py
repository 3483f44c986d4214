"""torchcam: one forward pass, then the map of each finding from what its hooks kept of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from medcam.experiments.bench.peers.peer import LAYER, LINEAR, Maps


class TorchcamCam:
    """`torchcam.methods.CAM`; see `Peer`."""

    name, package, rectified = "torchcam CAM", "torchcam", False
    one_by_one = False

    @contextmanager
    def opened(self, network: nn.Module, findings: int, *, documented: bool) -> Iterator[Maps]:
        """As `Peer.opened`."""
        from torchcam.methods import CAM

        with CAM(network, LAYER, LINEAR) as extract:

            def maps(films: Tensor) -> Tensor:
                with torch.inference_mode():
                    network(films)
                    found = [extract(class_idx=finding, normalized=documented)[0] for finding in range(findings)]
                return torch.stack(found, dim=1)

            yield maps

    def by_one_target(self, network: nn.Module, films: Tensor, finding: int) -> Tensor:
        """As `Peer.by_one_target`."""
        from torchcam.methods import CAM

        with CAM(network, LAYER, LINEAR) as extract, torch.inference_mode():
            network(films)
            one: Tensor = extract(class_idx=finding)[0]
        return one


class TorchcamGradCam:
    """`torchcam.methods.GradCAM`, the graph kept from finding to finding; see `Peer`."""

    name, package, rectified = "torchcam GradCAM", "torchcam", True
    one_by_one = False

    @contextmanager
    def opened(self, network: nn.Module, findings: int, *, documented: bool) -> Iterator[Maps]:
        """As `Peer.opened`."""
        from torchcam.methods import GradCAM

        with GradCAM(network, LAYER) as extract:

            def maps(films: Tensor) -> Tensor:
                scores = network(films)
                last = findings - 1
                found = [
                    extract(class_idx=one, scores=scores, normalized=documented, retain_graph=one < last)[0]
                    for one in range(findings)
                ]
                return torch.stack(found, dim=1)

            yield maps

    def by_one_target(self, network: nn.Module, films: Tensor, finding: int) -> Tensor:
        """As `Peer.by_one_target`."""
        from torchcam.methods import GradCAM

        with GradCAM(network, LAYER) as extract:
            one: Tensor = extract(class_idx=finding, scores=network(films))[0]
        return one
