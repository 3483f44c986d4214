"""Sensitivity-n and infidelity: do the values of a map add up to what erasing does?

Both ask the same of a map phi over cells: that the sum over erased cells be the drop of the score. Sensitivity-n asks
it up to a linear function, for n cells at random; infidelity asks it in squares, for squares of cells.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from medcam.core.arrays import BoolArray
from medcam.core.errors import InvalidValueError

Floats = npt.NDArray[np.float64]


def random_subsets(shape: tuple[int, int], size: int, count: int, rng: np.random.Generator) -> BoolArray:
    """bool [count, h, w]: `size` cells each, at random.

    Raises:
        InvalidValueError: There are not so many cells.
    """
    cells = shape[0] * shape[1]
    if not 0 < size <= cells:
        raise InvalidValueError(f"{size} cells cannot be drawn of {cells}")
    masks = np.zeros((count, cells), dtype=np.bool_)
    for mask in masks:
        mask[rng.choice(cells, size, replace=False)] = True
    return masks.reshape(count, *shape)


def random_squares(shape: tuple[int, int], largest: int, count: int, rng: np.random.Generator) -> BoolArray:
    """bool [count, h, w]: one square each, side 1 to `largest` cells (square removal, Yeh et al. 2019, section 2.2)."""
    masks = np.zeros((count, *shape), dtype=np.bool_)
    for mask in masks:
        side = int(rng.integers(1, min(largest, *shape) + 1))
        top, left = (int(rng.integers(length - side + 1)) for length in shape)
        mask[top : top + side, left : left + side] = True
    return masks


def sensitivity_n(values: npt.ArrayLike, subsets: BoolArray, drops: npt.ArrayLike) -> float:
    """Pearson correlation between summed attributions and drops of the score (Ancona et al. 2018, section 4.2).

    Args:
        values: A map [h, w].
        subsets: bool [count, h, w]: what was erased, as many cells each time.
        drops: [count]: score less score without them.

    Returns:
        -1 to 1, 1 for a map that satisfies sensitivity-n; 0 for a map whose sums do not vary; nan where no drop varies.

    Raises:
        InvalidValueError: The shapes disagree.
    """
    sums, changes = _sums(values, subsets, drops)
    if np.ptp(changes) <= 1e-12:
        return float("nan")
    if np.ptp(sums) <= 1e-12 * max(1.0, float(np.abs(sums).max())):
        return 0.0
    return float(np.corrcoef(sums, changes)[0, 1])


def infidelity(values: npt.ArrayLike, subsets: BoolArray, drops: npt.ArrayLike) -> float:
    """Infidelity (Yeh et al. 2019, definition 2.1): mean of (sum over erased cells - drop)^2, in the drop's units."""
    sums, changes = _sums(values, subsets, drops)
    return float(((sums - changes) ** 2).mean())


def scaled_infidelity(values: npt.ArrayLike, subsets: BoolArray, drops: npt.ArrayLike) -> float:
    """Infidelity at the best scale of the map, as a share of what a map of zeros has.

    Maps differ in units; Yeh et al. (2019, section 5) also scale each map by the factor beta that suits it best. A
    factor below 0, which would turn the map over, counts as 0.

    Returns:
        0 for a map that is right up to its scale, 1 for one that is no better than zeros; nan where nothing changes.
    """
    sums, changes = _sums(values, subsets, drops)
    zero = float((changes**2).mean())
    if zero <= 1e-24:
        return float("nan")
    below = float((sums * sums).sum())
    beta = max(0.0, float((sums * changes).sum()) / below) if below > 0.0 else 0.0
    return float(((beta * sums - changes) ** 2).mean()) / zero


def _sums(values: npt.ArrayLike, subsets: BoolArray, drops: npt.ArrayLike) -> tuple[Floats, Floats]:
    cells, changes = np.asarray(values, dtype=np.float64), np.asarray(drops, dtype=np.float64)
    if cells.ndim != 2 or subsets.shape != (len(changes), *cells.shape) or changes.ndim != 1:
        raise InvalidValueError(f"maps {cells.shape}, subsets {subsets.shape} and drops {changes.shape} disagree")
    return np.asarray((subsets * cells).sum(axis=(1, 2)), dtype=np.float64), changes
