"""The out-of-distribution gate: how far an input's features lie from those of the training films.

The score is the Mahalanobis distance of globally average pooled features (Lee et al. 2018, "A simple unified framework
for detecting out-of-distribution samples", with one Gaussian for all films), over the root of the number of features,
so that a typical training film scores about 1.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from sklearn.covariance import LedoitWolf

from medcam.core.arrays import FloatArray, frozen_array
from medcam.core.errors import InvalidValueError


@dataclass(frozen=True, eq=False)
class Gate:
    """A Gaussian over pooled features.

    Args:
        mean: float32 [features].
        whitening: float32 [features, features]: (x - mean) @ whitening has unit covariance on training films.
    """

    mean: FloatArray = field(repr=False)
    whitening: FloatArray = field(repr=False)

    def __post_init__(self) -> None:
        mean = frozen_array(self.mean, np.float32, 1, "gate mean")
        whitening = frozen_array(self.whitening, np.float32, 2, "gate whitening")
        if whitening.shape != (mean.size, mean.size):
            raise InvalidValueError("mean and whitening of a gate disagree in size")
        object.__setattr__(self, "mean", mean)
        object.__setattr__(self, "whitening", whitening)

    def score(self, features: FloatArray) -> FloatArray:
        """Scores float32 [n] of pooled features [n, features]; higher is stranger, about 1 is usual."""
        white = (np.asarray(features, dtype=np.float64) - self.mean) @ self.whitening.astype(np.float64)
        return np.asarray(np.sqrt((white**2).mean(axis=1)), dtype=np.float32)


def fit_gate(features: npt.ArrayLike) -> Gate:
    """Fits a gate to pooled features [n, features] of films that the model knows, with Ledoit-Wolf shrinkage.

    Raises:
        InvalidValueError: There are fewer films than 2.
    """
    values = np.asarray(features, dtype=np.float64)
    if values.ndim != 2 or len(values) < 2:
        raise InvalidValueError("a gate needs features [n, channels] of at least two films")
    mean, spread = values.mean(axis=0), values.std(axis=0)
    # Shrinkage pulls all variances towards their mean: without a common scale it would hide features of small variance.
    scale = np.maximum(spread, max(1e-9 * float(spread.max()), 1e-12))
    covariance = LedoitWolf(assume_centered=True).fit((values - mean) / scale).covariance_
    eigenvalues, vectors = np.linalg.eigh(covariance)
    whitening = vectors / np.sqrt(np.maximum(eigenvalues, 1e-12 * max(float(eigenvalues.max()), 1e-30)))
    return Gate(mean.astype(np.float32), (whitening / scale[:, None]).astype(np.float32))
