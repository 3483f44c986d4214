"""The display path of the grey-scale pipeline: VOI LUT functions (DICOM PS3.3 C.11.2)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from medcam.core.arrays import FloatArray, frozen_array
from medcam.core.errors import InvalidValueError


class VoiFunction(StrEnum):
    """VOI LUT Function (0028,1056), plus the explicit table of a VOI LUT Sequence."""

    LINEAR = "LINEAR"
    LINEAR_EXACT = "LINEAR_EXACT"
    SIGMOID = "SIGMOID"
    TABLE = "TABLE"


@dataclass(frozen=True, eq=False)
class DisplayWindow:
    """How pixel values become brightness, kept beside the pixels and never burned in.

    The function works on values *before* polarity was normalised, as the standard defines it. For a radiograph whose
    pixels were inverted, `mirror` is the sum of the two ends of the inversion (value = mirror - pixel), and the result
    is inverted back, so that denser stays brighter.

    Args:
        function: Which formula of PS3.3 C.11.2.1.2 (or a table, C.11.2.1.1) applies.
        center: Window Center (0028,1050); unused by a table.
        width: Window Width (0028,1051), at least 1 for LINEAR, positive for the others.
        table: float32 [entries] in 0..1, of a VOI LUT Sequence.
        first_mapped: The value that the table's first entry belongs to.
        mirror: None where the pixels were not inverted.
        source: Where it came from: "window", "voi-lut", "percentiles" (made here, since the file names none).
    """

    function: VoiFunction = VoiFunction.LINEAR
    center: float = 0.0
    width: float = 1.0
    table: FloatArray | None = field(default=None, repr=False)
    first_mapped: float = 0.0
    mirror: float | None = None
    source: str = "window"

    def __post_init__(self) -> None:
        if self.function is VoiFunction.TABLE:
            if self.table is None:
                raise InvalidValueError("a VOI table window needs its table")
            object.__setattr__(self, "table", frozen_array(self.table, np.float32, 1, "VOI table"))
            return
        smallest = 1.0 if self.function is VoiFunction.LINEAR else math.ulp(0.0)
        if not (math.isfinite(self.center) and math.isfinite(self.width)) or self.width < smallest:
            raise InvalidValueError(f"window {self.center}/{self.width} is not valid for {self.function}")

    def apply(self, pixels: FloatArray) -> FloatArray:
        """Brightness 0 (black) .. 1 (white) of pixels in "denser is brighter" polarity; any shape, float32."""
        values = pixels if self.mirror is None else self.mirror - pixels
        shown = self._voi(values)
        return shown if self.mirror is None else np.asarray(1.0 - shown, dtype=np.float32)

    def _voi(self, values: FloatArray) -> FloatArray:
        if self.function is VoiFunction.TABLE:
            assert self.table is not None
            index = np.clip(np.rint(values - self.first_mapped), 0, self.table.size - 1).astype(np.int64)
            looked_up: FloatArray = self.table[index]
            return looked_up
        if self.function is VoiFunction.SIGMOID:
            exponent = np.clip(-4.0 * (values - self.center) / self.width, -80.0, 80.0)
            return np.asarray(1.0 / (1.0 + np.exp(exponent)), dtype=np.float32)
        if self.function is VoiFunction.LINEAR_EXACT:
            shown = (values - self.center) / self.width + 0.5
        elif self.width == 1.0:
            shown = np.where(values > self.center - 0.5, 1.0, 0.0)
        else:
            shown = (values - (self.center - 0.5)) / (self.width - 1.0) + 0.5
        return np.asarray(np.clip(shown, 0.0, 1.0), dtype=np.float32)
