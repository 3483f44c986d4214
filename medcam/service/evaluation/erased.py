"""Inputs with cells erased, by several fill-ins, and the model's scores of them in batches."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from medcam.core.arrays import BoolArray, FloatArray
from medcam.core.protocols import Classifier
from medcam.evaluate.faithfulness.fill import blur_fill, mean_fill, noisy_linear_fill
from medcam.service.evaluation.judged_films import JudgedFilm

MEAN, BLUR, LINEAR, HEALTHY = "mean", "blur", "noisy-linear", "healthy"
BATCH = 16
_IMPUTED = 80
"""Side from which imputation is solved on a coarser grid: cells are erased, so that what fills them is smooth."""


class Eraser:
    """Erases parts of one film's input.

    Args:
        film: The film.
        seed: Of the noise of imputation.
    """

    def __init__(self, film: JudgedFilm, seed: int = 0) -> None:
        self._film, self._seed = film, seed
        self._pictures = {
            MEAN: np.stack([mean_fill(channel) for channel in film.inputs]),
            BLUR: np.stack([blur_fill(channel) for channel in film.inputs]),
        }
        if film.healthy is not None:
            self._pictures[HEALTHY] = film.healthy

    @property
    def fills(self) -> tuple[str, ...]:
        """Those that there are for the film."""
        return (MEAN, BLUR, LINEAR, *((HEALTHY,) if HEALTHY in self._pictures else ()))

    def without(self, mask: BoolArray, fill: str) -> FloatArray:
        """float32 [channels, height, width]: the input with the pixels of a mask filled in.

        With nothing left to impute from, "noisy-linear" is the mean.
        """
        if fill == LINEAR and not mask.all():
            return np.stack([_imputed(channel, mask, self._seed) for channel in self._film.inputs])
        picture = self._pictures[MEAN if fill == LINEAR else fill]
        return np.asarray(np.where(mask, picture, self._film.inputs), dtype=np.float32)


def _imputed(image: FloatArray, mask: BoolArray, seed: int) -> FloatArray:
    height, width = image.shape
    step = max(1, min(height, width) // _IMPUTED)
    while height % step or width % step:
        step -= 1
    if step == 1:
        return noisy_linear_fill(image, mask, seed=seed)
    blocks = (height // step, step, width // step, step)
    small_mask = np.asarray(mask.reshape(blocks).any(axis=(1, 3)), dtype=np.bool_)
    if small_mask.all():
        small_mask = np.asarray(mask.reshape(blocks).all(axis=(1, 3)), dtype=np.bool_)
    small = np.asarray(image.reshape(blocks).mean(axis=(1, 3)), dtype=np.float32)
    filled = noisy_linear_fill(small, small_mask, seed=seed)
    large = ndimage.zoom(filled, step, order=1, mode="nearest", grid_mode=True)
    return np.asarray(np.where(mask, large, image), dtype=np.float32)


def logits_of(model: Classifier, pictures: Sequence[FloatArray], finding: int) -> npt.NDArray[np.float64]:
    """Logits float64 [n] of one finding, by whatever engine the model is on."""
    parts = [
        model.predict(np.stack(pictures[start : start + BATCH])).logits[:, finding]
        for start in range(0, len(pictures), BATCH)
    ]
    return np.concatenate(parts).astype(np.float64)


def probability(logits: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The logistic function."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logits, -80.0, 80.0))), dtype=np.float64)
