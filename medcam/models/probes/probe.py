"""A probe: class weights and a bias on the pooled features of one layer of one frozen model."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from medcam.core.arrays import FloatArray, frozen_array
from medcam.core.errors import InvalidValueError
from medcam.models.probes.card import ProbeCard


@dataclass(frozen=True, eq=False)
class Probe:
    """A linear detector on globally average pooled features (Zhou et al. 2015, section 4).

    Its map is sum_k w_k f_k(x, y), and its logit the mean of the map + bias: standardisation and calibration are
    folded into weights and bias, so that map and ledger are in units of the calibrated logit, as a finding's of the
    model itself.

    Args:
        card: Its card.
        weights: float32 [channels].
        bias: In logit units.
    """

    card: ProbeCard
    weights: FloatArray = field(repr=False)
    bias: float

    def __post_init__(self) -> None:
        weights = frozen_array(self.weights, np.float32, 1, "weights of a probe")
        if weights.size == 0 or not np.isfinite(weights).all() or not np.isfinite(self.bias):
            raise InvalidValueError("weights and bias of a probe must be finite numbers")
        object.__setattr__(self, "weights", weights)

    @property
    def name(self) -> str:
        """The finding's name."""
        return self.card.name

    def logits(self, pooled: FloatArray) -> FloatArray:
        """Logits float32 [n] of pooled features [n, channels] of the probe's layer."""
        return np.asarray(np.asarray(pooled, dtype=np.float64) @ self.weights + self.bias, dtype=np.float32)

    def maps(self, features: FloatArray) -> FloatArray:
        """Maps float32 [n, h, w] of features [n, channels, h, w] of the probe's layer."""
        return np.asarray(np.einsum("nkhw,k->nhw", features, self.weights), dtype=np.float32)
