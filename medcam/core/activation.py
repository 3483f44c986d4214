"""Raw class activation maps."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from medcam.core.arrays import FloatArray, frozen_array
from medcam.core.errors import InvalidValueError
from medcam.core.geometry import GridTransform
from medcam.core.relation import Relation

CAM = "cam"
"""The method whose maps are exact: class activation maps, from the head itself."""


@dataclass(frozen=True, eq=False)
class ActivationMap:
    """The raw map of one finding: signed, low resolution, logit units where the head has a ledger.

    Args:
        values: float32 [height, width]; for a GAP head mean(values) + bias = logit (Zhou et al. 2015).
        bias: The finding's bias in logit units.
        transform: From source pixels to this map's grid.
        method: Name of the attribution method, such as "cam".
        layer: Name of the layer whose output was weighted.
        ledger: Whether the values add up to the logit; False takes it from a relation that has one.
        relation: How the logit follows from the values; the mean where none is given.
    """

    values: FloatArray = field(repr=False)
    bias: float
    transform: GridTransform
    method: str = CAM
    layer: str = ""
    ledger: bool = True
    relation: Relation | None = None

    def __post_init__(self) -> None:
        values = frozen_array(self.values, np.float32, 2, "map values")
        if values.shape != (self.transform.height, self.transform.width):
            raise InvalidValueError(
                f"a map of shape {values.shape} does not lie on a grid of "
                f"{self.transform.height} x {self.transform.width}"
            )
        relation = self.relation or Relation.MEAN
        if relation.ledger and not self.ledger:
            relation = Relation.UNSTATED
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "relation", relation)
        object.__setattr__(self, "ledger", relation.ledger)

    @property
    def cell_weight(self) -> float:
        """What a cell's value counts in the logit: 1 / cells for a mean, 1 for a sum.

        Raises:
            InvalidValueError: The map has no ledger; the message says why.
        """
        if not self.ledger:
            assert self.relation is not None
            raise InvalidValueError(
                f"this map has no ledger: the logit is {self.relation.words}",
                next_step="Use a model with a GAP or PCAM head for ledgers; regions and pictures work without.",
            )
        return 1.0 if self.relation is Relation.SUM else 1.0 / self.values.size

    @property
    def ledger_total(self) -> float:
        """The logit less the bias, in float32 as the heads compute it; raises as `cell_weight`."""
        weight = self.cell_weight
        return float(self.values.sum(dtype=np.float32) if weight == 1.0 else self.values.mean(dtype=np.float32))

    @property
    def height(self) -> int:
        """Rows of the grid."""
        return int(self.values.shape[0])

    @property
    def width(self) -> int:
        """Columns of the grid."""
        return int(self.values.shape[1])
