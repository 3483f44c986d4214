"""What a classifier returns for a batch."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from medcam.core.arrays import FloatArray, frozen_array
from medcam.core.errors import InvalidValueError
from medcam.core.relation import Relation


@dataclass(frozen=True, eq=False)
class Prediction:
    """Logits, maps and pooled features of a batch, from one forward pass.

    Args:
        logits: float32 [n, findings], computed from the maps (mean or sum + bias) where the head has a ledger.
        maps: float32 [n, findings, height, width], raw class activation maps in logit units; [n, findings, 0, 0] for a
            network whose tail makes none.
        biases: float32 [findings].
        features: float32 [n, channels], globally average pooled features, which the class weights multiply.
        pooled: float32 [n, k], what the model's out-of-distribution gate judges; None for the features themselves.
        ledger: Whether the maps add up to the logits; False takes it from a relation that has one.
        relation: How the logits follow from the maps; the mean where none is given.
    """

    logits: FloatArray = field(repr=False)
    maps: FloatArray = field(repr=False)
    biases: FloatArray = field(repr=False)
    features: FloatArray = field(repr=False)
    pooled: FloatArray | None = field(default=None, repr=False)
    ledger: bool = True
    relation: Relation | None = None

    def __post_init__(self) -> None:
        logits = frozen_array(self.logits, np.float32, 2, "logits")
        maps = _maps(self.maps)
        biases = frozen_array(self.biases, np.float32, 1, "biases")
        features = frozen_array(self.features, np.float32, 2, "features")
        if maps.shape[:2] != logits.shape or biases.shape[0] != logits.shape[1] or len(features) != len(logits):
            raise InvalidValueError("logits, maps, biases and features disagree in batch size or findings")
        if self.pooled is not None:
            object.__setattr__(self, "pooled", frozen_array(self.pooled, np.float32, 2, "pooled features"))
        for name, value in (("logits", logits), ("maps", maps), ("biases", biases), ("features", features)):
            object.__setattr__(self, name, value)
        relation = self.relation or Relation.MEAN
        if relation.ledger and not self.ledger:
            relation = Relation.UNSTATED
        object.__setattr__(self, "relation", relation)
        object.__setattr__(self, "ledger", relation.ledger)

    def __len__(self) -> int:
        return int(self.logits.shape[0])

    @property
    def has_maps(self) -> bool:
        """Whether the network made class activation maps."""
        return self.maps.size > 0

    @property
    def probabilities(self) -> FloatArray:
        """float32 [n, findings]: the logistic function of the logits (findings are not exclusive)."""
        return np.asarray(1.0 / (1.0 + np.exp(-np.clip(self.logits, -80.0, 80.0))), dtype=np.float32)


def _maps(values: FloatArray) -> FloatArray:
    """Maps, frozen; without a cell only where they have none at all."""
    array = np.asarray(values, dtype=np.float32)
    if array.ndim == 4 and array.shape[2:] == (0, 0):
        array = array.view()
        array.flags.writeable = False
        return array
    return frozen_array(array, np.float32, 4, "maps")
