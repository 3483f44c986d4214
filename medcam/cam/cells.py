"""How much of each map cell a raster over the film covers, by area: what shares and ledgers are weighted with."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from medcam.core.geometry import GridTransform

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class CellCover:
    """Fractions of cells covered by the pixels of a raster that spans the source.

    Cell (r, c) and pixel (y, x) share `rows[r, y] * columns[c, x]` of the cell's area. The fractions of one cell sum
    to 1, or to less where part of the cell lies outside the film (padding).

    Args:
        rows: float64 [map height, raster height].
        columns: float64 [map width, raster width].
    """

    rows: Array
    columns: Array

    @classmethod
    def of(cls, transform: GridTransform, height: int, width: int) -> CellCover:
        """The cover of a map's cells by a raster of `height` x `width` pixels over the whole source."""
        return cls(
            _overlaps(transform.scale_y, transform.offset_y, transform.height, transform.source_height, height),
            _overlaps(transform.scale_x, transform.offset_x, transform.width, transform.source_width, width),
        )

    def within(self, rows: slice, columns: slice) -> CellCover:
        """The cover by a part of the raster alone."""
        return CellCover(self.rows[:, rows], self.columns[:, columns])

    def fractions(self, mask: npt.NDArray[np.bool_]) -> Array:
        """Fraction of each cell that lies under a mask: [raster height, raster width] to [map height, map width]."""
        return np.asarray(self.rows @ mask @ self.columns.T, dtype=np.float64)

    def spread(self, values: npt.NDArray[np.floating]) -> Array:
        """Spreads cell values evenly over the pixels under them: [..., map height, map width] to [..., raster].

        The sum under a mask is the sum of the cells, each weighted by its `fractions`.
        """
        return np.asarray(self.rows.T @ values @ self.columns, dtype=np.float64)


@lru_cache(maxsize=32)
def _overlaps(scale: float, offset: float, cells: int, source: int, count: int) -> Array:
    """Fractions along one axis, read-only: all maps of a film have them in common, and the films of a detector."""
    edges = scale * (np.arange(count + 1) * (source / count)) + offset
    low, high = np.minimum(edges[:-1], edges[1:]), np.maximum(edges[:-1], edges[1:])
    cell = np.arange(cells, dtype=np.float64)[:, None]
    found = np.asarray(np.clip(np.minimum(cell + 1.0, high) - np.maximum(cell, low), 0.0, None), dtype=np.float64)
    found.flags.writeable = False
    return found
