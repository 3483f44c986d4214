"""Linear interpolation on axis-aligned grids, as two matrix products."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from medcam.core.arrays import FloatArray

Box = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels; the first pixel covers 0 to 1."""

Positions = npt.NDArray[np.floating[Any]]


def resample(values: FloatArray, rows: Positions, columns: Positions) -> FloatArray:
    """Values at every pair of a row and a column position, linear between pixel centres, the edge continued.

    Args:
        values: float32 [height, width].
        rows: [m] positions; the centre of pixel j lies at j + 0.5.
        columns: [n] positions.

    Returns:
        float32 [m, n].
    """
    down, across = _weights(rows, values.shape[0]), _weights(columns, values.shape[1])
    return np.asarray(down @ np.asarray(values, dtype=np.float32) @ across.T, dtype=np.float32)


def shrink(image: FloatArray, height: int, width: int) -> FloatArray:
    """Resamples to a grid of the same extent: means over whole blocks first, then linear between their centres."""
    step_y, step_x = max(1, image.shape[0] // height), max(1, image.shape[1] // width)
    rows, columns = image.shape[0] // step_y, image.shape[1] // step_x
    blocks = image[: rows * step_y, : columns * step_x].reshape(rows, step_y, columns, step_x).mean(axis=(1, 3))
    y = (np.arange(height) + 0.5) * (image.shape[0] / height / step_y)
    x = (np.arange(width) + 0.5) * (image.shape[1] / width / step_x)
    return resample(blocks, y, x)


def wide_mean(values: FloatArray, reach: float) -> FloatArray:
    """A Gaussian mean of standard deviation `reach` pixels, zeros beyond the edge.

    A wide one is computed on a coarser grid, since nothing finer is left of it.
    """
    step = max(1, int(reach // 4))
    height, width = values.shape
    small = shrink(values, max(1, height // step), max(1, width // step)) if step > 1 else values
    deviation = (reach * small.shape[0] / height, reach * small.shape[1] / width)
    smooth = np.asarray(ndimage.gaussian_filter(small, deviation, mode="constant"), dtype=np.float32)
    return shrink(smooth, height, width) if step > 1 else smooth


def _weights(positions: Positions, cells: int) -> FloatArray:
    index = np.clip(positions - 0.5, 0.0, cells - 1.0)
    first = np.minimum(np.floor(index).astype(np.int64), max(cells - 2, 0))
    share = index - first
    matrix = np.zeros((positions.size, cells), dtype=np.float32)
    lines = np.arange(positions.size)
    matrix[lines, first] = 1.0 - share
    matrix[lines, np.minimum(first + 1, cells - 1)] += share
    return matrix
