"""Methods that weight a layer's features by the gradient of a logit: Grad-CAM, Grad-CAM++, LayerCAM, HiResCAM.

A is the layer's output [n, k, h, w], y the logit of a finding, g = dy/dA. Findings are not exclusive, so that y is the
logit before the logistic function, and each finding has a gradient of its own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from medcam.cam.methods.method import MethodCard, Units
from medcam.cam.methods.model import GradientModel
from medcam.cam.methods.registry import register_method

_PASSES = "1 forward, and 1 backward of the tail per finding"


class _FeatureGradients(ABC):
    """One forward pass to the layer, one through the tail, and one backward pass through the tail per finding."""

    def maps(self, model: GradientModel, images: Tensor, findings: Sequence[int], chunk: int) -> Tensor:
        """As `CamMethod.maps`."""
        del chunk
        with torch.no_grad():
            features = model.features(images)
        features = features.detach().requires_grad_()
        logits = model.logits(images, features)
        result = []
        for place, finding in enumerate(findings):
            last = place == len(findings) - 1
            # Images do not see each other in evaluation mode: the gradient of the sum holds those of each.
            (gradient,) = torch.autograd.grad(logits[:, finding].sum(), features, retain_graph=not last)
            result.append(self.weighted(features.detach(), gradient))
        return torch.stack(result, dim=1)

    @abstractmethod
    def weighted(self, features: Tensor, gradient: Tensor) -> Tensor:
        """The map [n, h, w] of features and gradient, both [n, k, h, w]."""


@register_method
@dataclass(frozen=True)
class GradCam(_FeatureGradients):
    """Grad-CAM (Selvaraju et al. 2017, equations 1 and 2): ReLU(sum_k mean_ij(g_k) A_k)."""

    card: ClassVar[MethodCard] = MethodCard(
        name="grad-cam",
        title="Grad-CAM",
        source="Selvaraju et al. 2017, eqs. 1-2",
        units=Units.LOGIT,
        signed=False,
        gradient=True,
        passes=_PASSES,
        weakness="the mean gradient can point at places that the network did not use (Draelos and Carin 2020); "
        "empty where all evidence is against; IoU of 0.03 to 0.28 on ten findings, on most below radiologists "
        "(Saporta et al. 2022)",
    )

    def weighted(self, features: Tensor, gradient: Tensor) -> Tensor:
        """As the class says."""
        weights = gradient.mean(dim=(2, 3), keepdim=True)
        return torch.relu((weights * features).sum(dim=1))


@register_method
@dataclass(frozen=True)
class GradCamPlusPlus(_FeatureGradients):
    """Grad-CAM++ (Chattopadhay et al. 2018, equations 10 and 19), with exp(y) as the score, as in the paper.

    Its second and third derivatives are then powers of g, times exp(y), which cancels in
    alpha = g^2 / (2 g^2 + sum_ab(A_ab) g^3). The weights are sum_ij(alpha ReLU(g)); the factor exp(y) that the paper's
    ReLU(dexp(y)/dA) still has is left out: it is one number per map, and has no bound.
    """

    card: ClassVar[MethodCard] = MethodCard(
        name="grad-cam++",
        title="Grad-CAM++",
        source="Chattopadhay et al. 2018, eqs. 10, 19",
        units=Units.NONE,
        signed=False,
        gradient=True,
        passes=_PASSES,
        weakness="close to Grad-CAM with positive gradients alone (Lerma and Lucas 2022): evidence against, and what "
        "outweighs it, never shows",
    )

    def weighted(self, features: Tensor, gradient: Tensor) -> Tensor:
        """As the class says."""
        square = gradient**2
        below = 2.0 * square + features.sum(dim=(2, 3), keepdim=True) * gradient**3
        alpha = torch.where(below != 0.0, square / torch.where(below != 0.0, below, 1.0), 0.0)
        weights = (alpha * torch.relu(gradient)).sum(dim=(2, 3), keepdim=True)
        return torch.relu((weights * features).sum(dim=1))


@register_method
@dataclass(frozen=True)
class LayerCam(_FeatureGradients):
    """LayerCAM (Jiang et al. 2021, section III): ReLU(sum_k ReLU(g_kij) A_kij)."""

    card: ClassVar[MethodCard] = MethodCard(
        name="layercam",
        title="LayerCAM",
        source="Jiang et al. 2021, sect. III",
        units=Units.LOGIT,
        signed=False,
        gradient=True,
        passes=_PASSES,
        weakness="drops what speaks against a finding before it is summed, so that a place may show that lowers the "
        "logit on the whole",
    )

    def weighted(self, features: Tensor, gradient: Tensor) -> Tensor:
        """As the class says."""
        return torch.relu((torch.relu(gradient) * features).sum(dim=1))


@register_method
@dataclass(frozen=True)
class HiResCam(_FeatureGradients):
    """HiResCAM (Draelos and Carin 2020, section 3): sum_k g_kij A_kij, signed.

    Where one linear layer follows the features, pooled or not, the map's sum + bias is the logit; for a GAP head the
    map is the class activation map over the number of cells.
    """

    card: ClassVar[MethodCard] = MethodCard(
        name="hirescam",
        title="HiResCAM",
        source="Draelos and Carin 2020, sect. 3",
        units=Units.LOGIT,
        signed=True,
        gradient=True,
        passes=_PASSES,
        adds_up="its sum + bias is the logit, where one linear layer follows the features",
        weakness="exact for the last layer alone; at earlier ones a gradient is true for small changes only",
    )

    def weighted(self, features: Tensor, gradient: Tensor) -> Tensor:
        """As the class says."""
        return (gradient * features).sum(dim=1)
