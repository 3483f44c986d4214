"""Bicubic resampling of a grid through its transform: one kernel for Python and for the viewer in the browser.

The kernel is Keys' cubic convolution with a = -1/2 (R. Keys, IEEE Trans. ASSP 29(6), 1981), for a distance t in cells:

    k(t) = 3/2 |t|^3 - 5/2 |t|^2 + 1                  |t| <= 1
    k(t) = -1/2 |t|^3 + 5/2 |t|^2 - 4 |t| + 2         1 < |t| < 2,   0 beyond

Grid cell i has its centre at i + 1/2 (cell-centred). A wanted point at grid coordinate g reads, with u = g - 1/2 and
b = floor(u), the four cells b - 1 .. b + 2 with weights k(u - cell); indices are clamped to the grid's edge, so the
edge value continues. The kernel passes through the cells' values at their centres and keeps straight lines, but next to
a step it swings over the range of the cells by up to 2/27 of the step along each axis.
A point outside the grid was not seen by the model: it gets no weight at all, and so the value 0 (no evidence).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from medcam.core.arrays import BoolArray, FloatArray
from medcam.core.errors import InvalidValueError
from medcam.core.geometry import Box, GridTransform


def keys_kernel(distance: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Keys' cubic kernel with a = -1/2 at distances in cells; any shape, float64."""
    t = np.abs(np.asarray(distance, dtype=np.float64))
    near = (1.5 * t - 2.5) * t * t + 1.0
    far = ((-0.5 * t + 2.5) * t - 4.0) * t + 2.0
    return np.asarray(np.where(t <= 1.0, near, np.where(t < 2.0, far, 0.0)), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Sampler:
    """Weights that carry a grid to an output raster: out = rows @ grid @ columns.T.

    Args:
        rows: float32 [output height, grid height]; a row of zeros for output pixels outside the grid.
        columns: float32 [output width, grid width], likewise.
        rows_inside: bool [output height], whether the pixel centre lies on the grid.
        columns_inside: bool [output width], likewise.
    """

    rows: FloatArray
    columns: FloatArray
    rows_inside: BoolArray
    columns_inside: BoolArray

    @classmethod
    def to_source(cls, transform: GridTransform, height: int, width: int, window: Box | None = None) -> Sampler:
        """Weights for a raster over the source image.

        Args:
            transform: From source pixels to the grid; crops, pads and flips included.
            height: Rows of the raster.
            width: Columns of the raster.
            window: The part of the source, in source pixels, that the raster spans; None for all of it.

        Returns:
            The sampler. Pixel (row j, column i) is evaluated at its centre, without smoothing: rasters coarser than
            the grid skip cells.

        Raises:
            InvalidValueError: The raster has no pixel.
        """
        if height < 1 or width < 1:
            raise InvalidValueError(f"a raster of {height} x {width} has no pixel")
        left, top, right, bottom = (
            window.corners if window else (0.0, 0.0, float(transform.source_width), float(transform.source_height))
        )
        rows, rows_inside = _axis(top, bottom, height, transform.scale_y, transform.offset_y, transform.height)
        columns, columns_inside = _axis(left, right, width, transform.scale_x, transform.offset_x, transform.width)
        return cls(rows, columns, rows_inside, columns_inside)

    def apply(self, values: FloatArray) -> FloatArray:
        """Resamples float32 [..., grid height, grid width] to float32 [..., output height, output width]."""
        return np.asarray(self.rows @ np.asarray(values, dtype=np.float32) @ self.columns.T, dtype=np.float32)

    @property
    def inside(self) -> BoolArray:
        """Where the model saw the film: bool [output height, output width]."""
        return self.rows_inside[:, None] & self.columns_inside[None, :]


@lru_cache(maxsize=32)
def _axis(
    start: float, stop: float, count: int, scale: float, offset: float, cells: int
) -> tuple[FloatArray, BoolArray]:
    """Weights along one axis, read-only: all maps of a film have them in common, and the films of a detector."""
    weights, inside = _axis_weights(scale * _centres(start, stop, count) + offset, cells)
    for array in (weights, inside):
        array.flags.writeable = False
    return weights, inside


def _centres(start: float, stop: float, count: int) -> npt.NDArray[np.float64]:
    return np.asarray(start + (np.arange(count) + 0.5) * ((stop - start) / count), dtype=np.float64)


def _axis_weights(positions: npt.NDArray[np.float64], cells: int) -> tuple[FloatArray, BoolArray]:
    inside = (positions >= 0.0) & (positions <= cells)
    index = positions - 0.5
    base = np.floor(index).astype(np.int64)
    taps = base[:, None] + np.arange(-1, 3)
    weights = keys_kernel(index[:, None] - taps) * inside[:, None]
    matrix = np.zeros((positions.size, cells), dtype=np.float64)
    lines = np.broadcast_to(np.arange(positions.size)[:, None], taps.shape)
    np.add.at(matrix, (lines, np.clip(taps, 0, cells - 1)), weights)
    return matrix.astype(np.float32), inside
