"""Integrated gradients: a logit's difference to that of an empty film, split over the pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from medcam.cam.methods.grids import summed
from medcam.cam.methods.method import MethodCard, Units
from medcam.cam.methods.model import GradientModel
from medcam.cam.methods.registry import register_method
from medcam.core.errors import InvalidValueError


@register_method
@dataclass(frozen=True)
class IntegratedGradients:
    """Integrated gradients (Sundararajan et al. 2017, equation 1), summed over channels and over the cells of a grid.

    The integral along the straight path from the baseline is taken by Gauss-Legendre quadrature. By the paper's axiom
    of completeness the map's sum is logit(film) - logit(baseline), but for the error of the quadrature.

    Args:
        steps: Points on the path.
        cells: Cells of the map along the input's longer side; as many as pixels, or more, for a map of pixels.

    The baseline is a film of the image's own mean per channel: grey everywhere, nothing on it.
    """

    card: ClassVar[MethodCard] = MethodCard(
        name="integrated-gradients",
        title="Integrated gradients",
        source="Sundararajan et al. 2017, eq. 1",
        units=Units.LOGIT,
        signed=True,
        gradient=True,
        passes="32 forward, and 32 backward per finding",
        adds_up="its sum is the logit less that of a film of even grey",
        weakness="what is as grey as the baseline gets nothing, whatever it means (Sturmfels et al. 2020); noisy from "
        "pixel to pixel; the films on the path are unlike any film",
        on_input=True,
    )

    steps: int = 32
    cells: int = 32

    def __post_init__(self) -> None:
        if self.steps < 1 or self.cells < 1:
            raise InvalidValueError("integrated gradients need at least one step and one cell")

    def maps(self, model: GradientModel, images: Tensor, findings: Sequence[int], chunk: int) -> Tensor:
        """As `CamMethod.maps`."""
        return torch.stack([self._one(model, image, findings, chunk) for image in images])

    def _one(self, model: GradientModel, image: Tensor, findings: Sequence[int], chunk: int) -> Tensor:
        nodes, weights = np.polynomial.legendre.leggauss(self.steps)
        along = torch.from_numpy(0.5 * (nodes + 1.0)).to(image)[:, None, None, None]
        shares = torch.from_numpy(0.5 * weights).to(image)[:, None, None, None]
        baseline = baseline_of(image)
        means = torch.zeros((len(findings), *image.shape), dtype=image.dtype, device=image.device)
        for part, share in zip(torch.split(along, chunk), torch.split(shares, chunk), strict=True):
            path = (baseline + part * (image - baseline)).detach().requires_grad_()
            logits = model.logits(path)
            for place, finding in enumerate(findings):
                last = place == len(findings) - 1
                (gradient,) = torch.autograd.grad(logits[:, finding].sum(), path, retain_graph=not last)
                means[place] += (share * gradient).sum(dim=0)
        return summed(((image - baseline) * means).sum(dim=1), self.cells)


def baseline_of(image: Tensor) -> Tensor:
    """The empty film [channels, height, width] that belongs to an image."""
    return image.mean(dim=(1, 2), keepdim=True).expand_as(image)
