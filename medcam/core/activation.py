"""Raw class activation maps."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from medcam.core.arrays import FloatArray, frozen_array
from medcam.core.errors import InvalidValueError
from medcam.core.geometry import GridTransform


@dataclass(frozen=True, eq=False)
class ActivationMap:
    """The raw map of one finding: signed, low resolution, logit units where the head has a ledger.

    Args:
        values: float32 [height, width]; for a GAP head mean(values) + bias = logit (Zhou et al. 2015).
        bias: The finding's bias in logit units.
        transform: From source pixels to this map's grid.
        method: Name of the attribution method, such as "cam".
        layer: Name of the layer whose output was weighted.
        ledger: Whether mean(values) + bias is the logit.
    """

    values: FloatArray = field(repr=False)
    bias: float
    transform: GridTransform
    method: str = "cam"
    layer: str = ""
    ledger: bool = True

    def __post_init__(self) -> None:
        values = frozen_array(self.values, np.float32, 2, "map values")
        if values.shape != (self.transform.height, self.transform.width):
            raise InvalidValueError(
                f"a map of shape {values.shape} does not lie on a grid of "
                f"{self.transform.height} x {self.transform.width}"
            )
        object.__setattr__(self, "values", values)

    @property
    def height(self) -> int:
        """Rows of the grid."""
        return int(self.values.shape[0])

    @property
    def width(self) -> int:
        """Columns of the grid."""
        return int(self.values.shape[1])
