"""Between a map's own grid, a common grid of cells, and pixels; all span the same input."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from medcam.core.arrays import BoolArray
from medcam.core.errors import InvalidValueError


def cell_means(values: npt.ArrayLike, rows: int, columns: int) -> npt.NDArray[np.float64]:
    """Means of values [..., h, w] over the cells of an even grid [..., rows, columns], weighted by area.

    Of a mask: the share of each cell that it covers.

    Raises:
        InvalidValueError: There is no cell, or the values have no two axes.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim < 2 or min(rows, columns) < 1 or 0 in array.shape:
        raise InvalidValueError(f"values of shape {array.shape} have no means on {rows} x {columns} cells")
    return np.asarray(_weights(array.shape[-2], rows) @ array @ _weights(array.shape[-1], columns).T)


def pixels_of(cells: BoolArray, height: int, width: int) -> BoolArray:
    """bool [height, width]: pixels whose centre lies in a chosen cell of a grid [rows, columns]."""
    down, along = (
        ((np.arange(side) + 0.5) * count / side).astype(np.int64)
        for side, count in zip((height, width), cells.shape, strict=True)
    )
    return np.asarray(cells[down[:, None], along[None, :]], dtype=np.bool_)


def _weights(pixels: int, cells: int) -> npt.NDArray[np.float64]:
    """[cells, pixels]: rows sum to 1."""
    edges = np.arange(cells + 1) * (pixels / cells)
    starts = np.arange(pixels, dtype=np.float64)
    covered = np.minimum(edges[1:, None], starts + 1.0) - np.maximum(edges[:-1, None], starts)
    return np.asarray(np.clip(covered, 0.0, None) * (cells / pixels))
