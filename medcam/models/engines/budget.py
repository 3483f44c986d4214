"""How far an engine is from torch in fp32, and how far it may be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from medcam.core.prediction import Prediction


@dataclass(frozen=True, slots=True)
class Budget:
    """How far an engine may be from the reference on the calibration films.

    Args:
        logit: In logit units, of any finding on any film. 0.01 moves a probability by 0.0025 at most.
        map: Of any finding: root of the sum of squared differences over all cells of all films, over that of the maps.
    """

    logit: float = 0.01
    map: float = 0.02


BUDGET = Budget()
NOUGHT = 1e-9
"""In logit units: a map that is smaller than this altogether counts as this large."""


@dataclass(frozen=True, slots=True)
class Errors:
    """How far an engine was from the reference; fields as in `Budget`."""

    logit: float
    map: float

    def within(self, budget: Budget) -> bool:
        """Whether both keep to the budget; what is no number does not."""
        return self.logit <= budget.logit and self.map <= budget.map

    def worse(self, other: Errors) -> Errors:
        """The larger of each."""
        return Errors(float(np.maximum(self.logit, other.logit)), float(np.maximum(self.map, other.map)))

    def told(self, budget: Budget) -> str:
        """What does not keep to the budget, in words."""
        if not self.logit <= budget.logit:
            return f"its logits are up to {self.logit:.2g} off on the calibration films (at most {budget.logit:g})"
        return f"its maps are up to {self.map:.2g} off on the calibration films (at most {budget.map:g} of the map)"


def errors_between(reference: Prediction, other: Prediction) -> Errors:
    """How far a prediction is from that of the reference for the same films."""
    wanted, given = reference.maps.astype(np.float64), other.maps.astype(np.float64)
    axes = (0, 2, 3)
    apart, size = np.sqrt(((given - wanted) ** 2).sum(axis=axes)), np.sqrt((wanted**2).sum(axis=axes))
    # A map that is nought in every cell of every film must stay so.
    shares = apart / np.maximum(size, NOUGHT)
    logit = np.abs(other.logits.astype(np.float64) - reference.logits).max()
    return Errors(float(logit), float(shares.max(initial=0.0)))
