"""The exact class activation map, for the registry: what one forward pass gives anyway."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from medcam.cam.methods.method import MethodCard, Units
from medcam.cam.methods.model import ClassMapModel, GradientModel
from medcam.cam.methods.registry import register_method
from medcam.core.activation import CAM
from medcam.core.errors import ModelError


@register_method
@dataclass(frozen=True)
class ExactCam:
    """Class activation map (Zhou et al. 2016, equation 2): sum over channels of class weight x feature.

    Raises ModelError with code "cam-method" for a network whose head makes no class maps.
    """

    card: ClassVar[MethodCard] = MethodCard(
        name=CAM,
        title="CAM",
        source="Zhou et al. 2016, eq. 2",
        units=Units.LOGIT,
        signed=True,
        gradient=False,
        passes="none",
        adds_up="its mean + bias is the logit (GAP head)",
        weakness="needs a pooling head; a cell sees beyond its borders, so that the split holds for the grid alone",
    )

    def maps(self, model: GradientModel, images: Tensor, findings: Sequence[int], chunk: int) -> Tensor:
        """As `CamMethod.maps`: the maps that the head shows."""
        del chunk
        if not isinstance(model, ClassMapModel):
            raise no_class_maps()
        with torch.no_grad():
            return model.class_maps(model.features(images))[:, list(findings)]


def no_class_maps() -> ModelError:
    """The refusal of an exact map for a network that has none."""
    return ModelError(
        "this network has no class activation maps: its tail is no pooling head",
        code="cam-method",
        next_step="Choose another method, such as hirescam, or give it a GAP head with medcam.with_gap_head.",
    )
