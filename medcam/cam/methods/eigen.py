"""Eigen-CAM: what is strongest in a layer's features, whatever the finding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from medcam.cam.methods.method import MethodCard, Units
from medcam.cam.methods.model import GradientModel
from medcam.cam.methods.registry import register_method


@register_method
@dataclass(frozen=True)
class EigenCam:
    """Eigen-CAM (Muhammad and Yeasin 2020, section III): features projected on their first principal direction.

    The features of an image as a matrix O [cells, channels] = U S V^T, not centred, as in the paper; the map is O v_1.
    A singular vector has no sign of its own: it is chosen so that the map's sum is not negative.
    """

    card: ClassVar[MethodCard] = MethodCard(
        name="eigen-cam",
        title="Eigen-CAM",
        source="Muhammad and Yeasin 2020, sect. III",
        units=Units.NONE,
        signed=False,
        gradient=False,
        passes="1 forward, 1 singular value decomposition",
        weakness="asks no finding: the same map for all, whatever the class weights are, so that it cannot pass a "
        "randomisation test of the last layer (Adebayo et al. 2018)",
        specific=False,
    )

    def maps(self, model: GradientModel, images: Tensor, findings: Sequence[int], chunk: int) -> Tensor:
        """As `CamMethod.maps`; one map per image, repeated for each finding."""
        del chunk
        with torch.no_grad():
            features = model.features(images)
            cells = features.flatten(2).transpose(1, 2).double()
            _, _, directions = torch.linalg.svd(cells, full_matrices=False)
            projected = (cells @ directions[:, 0, :, None])[:, :, 0]
            total = projected.sum(dim=1, keepdim=True)
            signed = torch.where(total < 0.0, -projected, projected)
            maps = signed.view(len(images), 1, *features.shape[2:]).float()
            return maps.expand(-1, len(findings), -1, -1)
