"""pytorch-grad-cam: one forward and one whole backward pass per finding; maps scaled to 0..1 and to the film's size."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from medcam.experiments.bench.peers.peer import LAYER, Maps


class PytorchGradCam:
    """`pytorch_grad_cam.GradCAM`, one target per film; see `Peer`. It has no raw map."""

    name, package, rectified = "pytorch-grad-cam GradCAM", "grad-cam", True
    one_by_one = True

    @contextmanager
    def opened(self, network: nn.Module, findings: int, *, documented: bool) -> Iterator[Maps]:
        """As `Peer.opened`."""
        from pytorch_grad_cam import GradCAM
        from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

        with GradCAM(model=network, target_layers=[network.get_submodule(LAYER)]) as cam:

            def maps(films: Tensor) -> Tensor:
                found = [
                    cam(input_tensor=films, targets=[ClassifierOutputTarget(finding)] * len(films))
                    for finding in range(findings)
                ]
                return torch.from_numpy(np.stack(found, axis=1))

            yield maps

    def by_one_target(self, network: nn.Module, films: Tensor, finding: int) -> Tensor:
        """As `Peer.by_one_target`: the README's call, `targets` with one entry, on a batch."""
        from pytorch_grad_cam import GradCAM
        from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

        with GradCAM(model=network, target_layers=[network.get_submodule(LAYER)]) as cam:
            return torch.from_numpy(cam(input_tensor=films, targets=[ClassifierOutputTarget(finding)]))
