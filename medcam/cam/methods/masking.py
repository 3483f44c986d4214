"""Methods that weight a layer's channels by what becomes of a logit without them, or with them alone: no gradient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from medcam.cam.methods.method import MethodCard, Units
from medcam.cam.methods.model import GradientModel
from medcam.cam.methods.registry import register_method


@register_method
@dataclass(frozen=True)
class ScoreCam:
    """Score-CAM (Wang et al. 2020, algorithm 1).

    Each channel is scaled to 0..1 and enlarged to the input, which it masks; the logits of the masked inputs, through a
    softmax over channels, are the weights: ReLU(sum_k alpha_k A_k). The logit of the empty input, which the paper takes
    off, drops out of the softmax. Findings are not exclusive, so that the score is the logit and no softmax over
    findings comes before. Channels that are the same everywhere mask nothing and get no weight.
    """

    card: ClassVar[MethodCard] = MethodCard(
        name="score-cam",
        title="Score-CAM",
        source="Wang et al. 2020, alg. 1",
        units=Units.NONE,
        signed=False,
        gradient=False,
        passes="1 forward per channel of the layer, for all findings together",
        weakness="a masked film is unlike any film, and the softmax gives nearly all weight to a few channels; slow",
    )

    def maps(self, model: GradientModel, images: Tensor, findings: Sequence[int], chunk: int) -> Tensor:
        """As `CamMethod.maps`."""
        with torch.no_grad():
            features = model.features(images)
            pairs = zip(images, features, strict=True)
            return torch.stack([self._one(model, image, own, list(findings), chunk) for image, own in pairs])

    def _one(self, model: GradientModel, image: Tensor, features: Tensor, findings: list[int], chunk: int) -> Tensor:
        low, high = features.amin(dim=(1, 2), keepdim=True), features.amax(dim=(1, 2), keepdim=True)
        flat = (high <= low)[:, 0, 0]
        masks = (features - low) / torch.where(high > low, high - low, 1.0)
        scores = []
        for part in torch.split(masks, chunk):
            large = F.interpolate(part[:, None], size=image.shape[1:], mode="bilinear", align_corners=False)
            scores.append(model.logits(image[None] * large)[:, findings])
        weights = torch.cat(scores).float()
        weights[flat] = -torch.inf
        weights = torch.zeros_like(weights) if bool(flat.all()) else weights.softmax(dim=0)
        return torch.relu(torch.einsum("kf,khw->fhw", weights, features.float()))


@register_method
@dataclass(frozen=True)
class AblationCam:
    """Ablation-CAM (Desai and Ramaswamy 2020, section 3): ReLU(sum_k w_k A_k), w_k the drop without channel k.

    The paper divides the drop y - y_k by y. For a logit, which may be negative or nearly 0, that would turn the map
    over or blow it up; one number per map changes no order within it, and is left out: w_k = y - y_k, in logit units.
    """

    card: ClassVar[MethodCard] = MethodCard(
        name="ablation-cam",
        title="Ablation-CAM",
        source="Desai and Ramaswamy 2020, sect. 3",
        units=Units.NONE,
        signed=False,
        gradient=False,
        passes="1 of the tail per channel of the layer, for all findings together",
        weakness="takes out one channel at a time, so that channels that can stand in for each other count little; "
        "features without a channel are unlike any film's",
    )

    def maps(self, model: GradientModel, images: Tensor, findings: Sequence[int], chunk: int) -> Tensor:
        """As `CamMethod.maps`."""
        with torch.no_grad():
            features = model.features(images)
            logits = model.logits(images, features)
            result = []
            for place in range(len(images)):
                image, own = images[place : place + 1], features[place]
                drops = logits[place] - self._without(model, image, own, chunk)
                result.append(torch.relu(torch.einsum("kf,khw->fhw", drops[:, list(findings)], own)))
            return torch.stack(result)

    def _without(self, model: GradientModel, image: Tensor, features: Tensor, chunk: int) -> Tensor:
        """Logits [k, findings] without each of the channels."""
        logits = []
        for channels in torch.split(torch.arange(len(features), device=features.device), chunk):
            ablated = features.repeat(len(channels), 1, 1, 1)
            ablated[torch.arange(len(channels)), channels] = 0.0
            logits.append(model.logits(image.expand(len(channels), -1, -1, -1), ablated))
        return torch.cat(logits)
