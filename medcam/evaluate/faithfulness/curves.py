"""Deletion and insertion: the score while cells are erased, the most or the least relevant first.

Deletion (Petsiuk, Das and Saenko 2018, "RISE", section 4.2) erases the most relevant first (MoRF), insertion puts them
back first. An input in which the top share q is put back is one from which the least relevant 1 - q are erased (LeRF),
so that over shares that lie evenly about 1/2 the areas under both orders give all three: deletion = MoRF, insertion =
LeRF, and LeRF - MoRF, which is ROAD (Rong et al. 2022) where noisy linear imputation fills what is erased.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from medcam.core.arrays import BoolArray
from medcam.core.errors import InvalidValueError

SHARES = (0.0, 0.03, 0.1, 0.3, 0.5, 0.7, 0.9, 0.97, 1.0)
"""Of the cells that are erased: closer where a single finding lies, and even about 1/2."""


def ranked(values: npt.ArrayLike, *, seed: int = 0) -> npt.NDArray[np.int64]:
    """Cells of a map [h, w] by falling value, ties in random order: a map without an order is no row-by-row one.

    Raises:
        InvalidValueError: The map is not two-dimensional, or not finite.
    """
    cells = np.asarray(values, dtype=np.float64)
    if cells.ndim != 2 or not np.isfinite(cells).all():
        raise InvalidValueError("an order of cells needs a finite map [h, w]")
    ties = np.random.default_rng(seed).random(cells.size)
    return np.lexsort((ties, -cells.ravel()))


def erased_cells(order: npt.NDArray[np.int64], shape: tuple[int, int], share: float) -> BoolArray:
    """bool [h, w]: the first `share` of the cells in an order."""
    mask = np.zeros(order.size, dtype=np.bool_)
    mask[order[: round(share * order.size)]] = True
    return mask.reshape(shape)


def area_under(shares: Sequence[float], scores: npt.ArrayLike) -> float:
    """Area under scores over shares 0 to 1, by trapezoids.

    Raises:
        InvalidValueError: Shares do not rise from 0 to 1, or there is not one score for each.
    """
    x, y = np.asarray(shares, dtype=np.float64), np.asarray(scores, dtype=np.float64)
    if x.ndim != 1 or x.shape != y.shape or len(x) < 2 or x[0] != 0.0 or x[-1] != 1.0 or (np.diff(x) <= 0.0).any():
        raise InvalidValueError("a curve needs shares that rise from 0 to 1, and a score for each")
    return float(np.trapezoid(y, x))
