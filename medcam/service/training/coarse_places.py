"""Places of findings in pixels of a film, on the coarse grid over a model's input."""

from __future__ import annotations

import numpy as np

from medcam.core.arrays import BoolArray
from medcam.core.geometry import GridTransform
from medcam.evaluate.formats.places import Place

SIDE = 96
"""Cells of the grid on each side."""
_FINER = 4


def coarse_mask(place: Place, size: tuple[int, int] | None, grid: GridTransform, side: int = SIDE) -> BoolArray:
    """A place on a grid of side x side cells over the model's input: bool [side, side].

    A cell belongs to it where at least half of the cell does; to a place that is half of no cell belong all cells that
    it touches.

    Args:
        place: What is marked.
        size: Height and width of the pixels in which it is given; None for those of the film's file.
        grid: From pixels of the file to the model's input.
        side: Of the grid.

    Raises:
        PlacesError: A mask of the place has another size.
    """
    height, width = size or (grid.source_height, grid.source_width)
    mask = place.mask(height, width)
    at = (np.arange(_FINER * side) + 0.5) / (_FINER * side)
    rows = _pixels((at * grid.height - grid.offset_y) / grid.scale_y, grid.source_height, height)
    columns = _pixels((at * grid.width - grid.offset_x) / grid.scale_x, grid.source_width, width)
    fine = np.zeros((rows.size, columns.size), dtype=np.bool_)
    inside = np.ix_(rows >= 0, columns >= 0)
    fine[inside] = mask[np.ix_(rows[rows >= 0], columns[columns >= 0])]
    blocks = fine.reshape(side, _FINER, side, _FINER)
    half = np.asarray(blocks.mean(axis=(1, 3)) >= 0.5)
    return half if half.any() else np.asarray(blocks.any(axis=(1, 3)))


def _pixels(
    at: np.ndarray[tuple[int], np.dtype[np.float64]], source: int, given: int
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Rows or columns of a mask at places of the file's pixels; -1 beyond the film."""
    found = np.floor(at * given / source).astype(np.int64)
    found[(found < 0) | (found >= given)] = -1
    return found
