"""MONAI's own: one whole pass per finding; its documented call turns maps upside down (`default_normalizer`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from monai.visualize import CAM, GradCAM
from torch import Tensor, nn

from medcam.experiments.bench.peers.peer import LAYER, LINEAR, Maps


class MonaiCam:
    """`monai.visualize.CAM`; see `Peer`."""

    name, package, rectified = "MONAI CAM", "monai", False
    one_by_one = True

    @contextmanager
    def opened(self, network: nn.Module, findings: int, *, documented: bool) -> Iterator[Maps]:
        """As `Peer.opened`."""
        cam = CAM(nn_module=network, target_layers=LAYER, fc_layers=LINEAR)
        one: Callable[..., Tensor] = cam if documented else cam.compute_map

        def maps(films: Tensor) -> Tensor:
            with torch.no_grad():
                return torch.cat([one(films, class_idx=[finding] * len(films)) for finding in range(findings)], dim=1)

        yield maps

    def by_one_target(self, network: nn.Module, films: Tensor, finding: int) -> Tensor:
        """As `Peer.by_one_target`; MONAI's takes a list alone, one number per film, and fails."""
        cam = CAM(nn_module=network, target_layers=LAYER, fc_layers=LINEAR)
        with torch.no_grad():
            one: Tensor = cam(films, class_idx=finding)
        return one[:, 0]


class MonaiGradCam:
    """`monai.visualize.GradCAM`; see `Peer`."""

    name, package, rectified = "MONAI GradCAM", "monai", True
    one_by_one = True

    @contextmanager
    def opened(self, network: nn.Module, findings: int, *, documented: bool) -> Iterator[Maps]:
        """As `Peer.opened`."""
        cam = GradCAM(nn_module=network, target_layers=LAYER)
        one = cam if documented else cam.compute_map

        def maps(films: Tensor) -> Tensor:
            return torch.cat([one(films, class_idx=finding).detach() for finding in range(findings)], dim=1)

        yield maps

    def by_one_target(self, network: nn.Module, films: Tensor, finding: int) -> Tensor:
        """As `Peer.by_one_target`."""
        one: Tensor = GradCAM(nn_module=network, target_layers=LAYER)(films, class_idx=finding)
        return one.detach()[:, 0]
