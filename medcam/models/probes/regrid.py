"""Maps from one grid onto another over the same extent, so that their mean stays what it was."""

from __future__ import annotations

import numpy as np

from medcam.core.arrays import FloatArray


def regrid(maps: FloatArray, height: int, width: int) -> FloatArray:
    """Area-weighted averages of maps [..., h, w] on a grid of other cells, [..., height, width].

    Each new cell holds the mean of the old cells under it, weighted by the area that they share. The mean over the
    grid does not change, so that a map that adds up to a logit on one grid does so on the other; where the new grid is
    twice as fine, each cell is repeated.

    Args:
        maps: float32 [..., h, w].
        height: Rows of the new grid.
        width: Columns of the new grid.
    """
    if maps.shape[-2:] == (height, width):
        return maps
    rows, columns = _overlap(maps.shape[-2], height), _overlap(maps.shape[-1], width)
    return np.asarray(rows @ maps.astype(np.float64) @ columns.T, dtype=np.float32)


def _overlap(old: int, new: int) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """[new, old]: the share of each new interval that each old one covers; rows sum to 1."""
    old_edges, new_edges = np.linspace(0.0, 1.0, old + 1), np.linspace(0.0, 1.0, new + 1)
    low = np.maximum(new_edges[:-1, None], old_edges[None, :-1])
    high = np.minimum(new_edges[1:, None], old_edges[None, 1:])
    return np.asarray(np.maximum(high - low, 0.0) * new)
