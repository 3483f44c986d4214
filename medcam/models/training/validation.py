"""What is measured after each epoch: classification, and where the maps point where the truth is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from sklearn.metrics import roc_auc_score
from torch.nn import functional as F

from medcam.models.classifier import GapClassifier
from medcam.models.training.films import Films
from medcam.models.training.losses import MapParameters

FRACTIONS = (0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.7, 0.8)


@dataclass(frozen=True, slots=True)
class Validation:
    """Figures of one epoch, per finding (nan where they cannot be had).

    Args:
        auc: Area under the ROC curve of the logit.
        pointing: Share of present findings whose map peaks inside the true mask.
        iou: Mean IoU of the region above the best fraction of the peak.
    """

    auc: tuple[float, ...]
    pointing: tuple[float, ...]
    iou: tuple[float, ...]

    @property
    def score(self) -> float:
        """What early stopping maximises: the mean of all figures that exist."""
        figures = np.array([np.nanmean(v) for v in (self.auc, self.pointing, self.iou) if not np.isnan(v).all()])
        return float(figures.mean()) if figures.size else 0.0


@torch.inference_mode()
def predict_films(
    classifier: GapClassifier, parameters: MapParameters, films: Films, batch: int = 64, *, half: bool = False
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Scaled maps [n, findings, h, w] and logits [n, findings] of all films."""
    classifier.eval()
    device = parameters.log_scale.device
    maps, logits = [], []
    for start in range(0, len(films), batch):
        images = torch.from_numpy(films.images[start : start + batch].astype(np.float32))[:, None].to(device)
        with torch.autocast(device.type, enabled=half, dtype=torch.bfloat16):
            output = classifier(images)
        maps.append((output.maps.float() * parameters.scale[:, None, None]).cpu().numpy())
        logits.append(parameters.logits(output.logits).cpu().numpy())
    return np.concatenate(maps), np.concatenate(logits)


def validate(classifier: GapClassifier, parameters: MapParameters, films: Films, *, half: bool = False) -> Validation:
    """Measures a classifier on films it was not trained on, in mixed precision where `half` is set."""
    maps, logits = predict_films(classifier, parameters, films, half=half)
    return Validation(
        auc=tuple(_auc(films.labels[:, c], logits[:, c]) for c in range(len(films.names))),
        pointing=tuple(_pointing(films, maps, c) for c in range(len(films.names))),
        iou=tuple(_best_iou(films, maps, c) for c in range(len(films.names))),
    )


def _auc(labels: npt.NDArray[np.int8], scores: npt.NDArray[np.float32]) -> float:
    known = labels >= 0
    if len(np.unique(labels[known])) < 2:
        return float("nan")
    return float(roc_auc_score(labels[known], scores[known]))


def _present(films: Films, finding: int) -> npt.NDArray[np.int64]:
    if films.masks is None:
        return np.empty(0, dtype=np.int64)
    return np.flatnonzero((films.labels[:, finding] == 1) & films.masks[:, finding].any(axis=(1, 2)))


def _upsampled(maps: npt.NDArray[np.float32], side: int) -> torch.Tensor:
    return F.interpolate(torch.from_numpy(maps)[:, None], size=(side, side), mode="bicubic", align_corners=False)[:, 0]


def pointing_game(maps: npt.NDArray[np.float32], masks: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Whether each map's peak lies in its mask (Zhang et al. 2016, without tolerance).

    Args:
        maps: float32 [n, h, w].
        masks: bool [n, side, side] over the same extent.

    Returns:
        bool [n].
    """
    peaks = _upsampled(maps, masks.shape[-1]).flatten(1).argmax(dim=1).numpy()
    return np.asarray(masks.reshape(len(masks), -1)[np.arange(len(masks)), peaks])


def _pointing(films: Films, maps: npt.NDArray[np.float32], finding: int) -> float:
    index = _present(films, finding)
    if films.masks is None or index.size == 0:
        return float("nan")
    return float(pointing_game(maps[index, finding], films.masks[index, finding]).mean())


def _best_iou(films: Films, maps: npt.NDArray[np.float32], finding: int) -> float:
    index = _present(films, finding)
    if films.masks is None or index.size == 0:
        return float("nan")
    masks = torch.from_numpy(films.masks[index, finding])
    large = _upsampled(maps[index, finding], masks.shape[-1])
    peak = large.flatten(1).amax(dim=1).clamp_min(1e-9)[:, None, None]
    best = 0.0
    for fraction in FRACTIONS:
        region = large > fraction * peak
        shared = (region & masks).flatten(1).sum(dim=1)
        best = max(best, float((shared / (region | masks).flatten(1).sum(dim=1)).mean()))
    return best
