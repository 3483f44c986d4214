"""Maps of many linear detectors at once, and figures over several draws of what they were fitted to."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from medcam.core.arrays import BoolArray, FloatArray
from medcam.core.card import Interval
from medcam.evaluate.classification import auc, resampled
from medcam.models.classifier import GapClassifier
from medcam.models.probes.layers import BATCH, forward_layers

BOOTSTRAPS = 500


@torch.inference_mode()
def detector_maps(network: GapClassifier, images: FloatArray, layer: str, weights: FloatArray) -> FloatArray:
    """Maps float32 [n, detectors, h, w] of detectors with weights [detectors, channels] on a layer's features.

    Args:
        network: In evaluation mode.
        images: [n, height, width] in model-input space.
        layer: Whose features the detectors weight.
        weights: [detectors, channels].
    """
    kernel = torch.from_numpy(np.array(weights, dtype=np.float32))[:, :, None, None]
    parts = []
    for start in range(0, len(images), BATCH):
        batch = torch.from_numpy(np.array(images[start : start + BATCH], dtype=np.float32))[:, None]
        _, found = forward_layers(network, batch, {layer})
        parts.append(torch.nn.functional.conv2d(found[layer].float(), kernel).numpy())
    return np.concatenate(parts)


def auc_over_draws(labels: npt.NDArray[np.int8], scores: npt.NDArray[np.float64], seed: int = 0) -> Interval:
    """Mean AUC of several detectors, with a 95 % bootstrap interval over films and over draws alike.

    Args:
        labels: [n], 1 with the finding; one film per patient.
        scores: [draws, n], of detectors that were fitted to one draw each.
        seed: Of the bootstrap.
    """
    rng = np.random.default_rng([seed, 1])
    drawn = []
    for films in resampled(np.arange(len(labels)), BOOTSTRAPS, seed):
        chosen, times = np.unique(rng.integers(len(scores), size=len(scores)), return_counts=True)
        drawn.append(np.average([auc(labels[films], scores[draw, films]) for draw in chosen], weights=times))
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    value = float(np.mean([auc(labels, row) for row in scores]))
    return Interval(value, min(float(low), value), max(float(high), value))


def share_over_draws(hits: BoolArray, seed: int = 0) -> Interval:
    """Share of hits [draws, n], with a 95 % bootstrap interval over films and over draws alike."""
    rng = np.random.default_rng([seed, 2])
    draws, films = hits.shape
    drawn = [
        hits[np.ix_(rng.integers(draws, size=draws), rng.integers(films, size=films))].mean() for _ in range(BOOTSTRAPS)
    ]
    low, high = np.percentile(drawn, [2.5, 97.5])
    value = float(hits.mean())
    return Interval(value, min(float(low), value), max(float(high), value))
