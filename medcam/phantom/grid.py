"""The detector's grid in mm and the chord lengths of simple bodies on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Grid:
    """Pixel centres in patient coordinates.

    Args:
        size: Pixels per side.
        field: Side in mm.
        shift_x: Of the centre from the midline, mm.
        shift_y: Of the top edge, mm.
    """

    size: int
    field: float
    shift_x: float = 0.0
    shift_y: float = 0.0

    def __post_init__(self) -> None:
        steps = (np.arange(self.size) + 0.5) * self.pitch
        object.__setattr__(self, "x", (steps - self.field / 2 + self.shift_x).astype(np.float32)[None, :])
        object.__setattr__(self, "y", (steps + self.shift_y).astype(np.float32)[:, None])

    x: Image = None  # type: ignore[assignment]
    """float32 [1, size]: mm to the patient's left of the midline."""
    y: Image = None  # type: ignore[assignment]
    """float32 [size, 1]: mm down."""

    @property
    def pitch(self) -> float:
        """mm per pixel."""
        return self.field / self.size

    def zeros(self) -> Image:
        """An empty image."""
        return np.zeros((self.size, self.size), dtype=np.float32)

    def window(self, left: float, right: float, top: float, bottom: float) -> tuple[slice, slice]:
        """Rows and columns of a rectangle in mm, clipped to the film."""
        columns = np.searchsorted(self.x[0], (left, right))
        rows = np.searchsorted(self.y[:, 0], (top, bottom))
        return slice(int(rows[0]), int(rows[1])), slice(int(columns[0]), int(columns[1]))

    def row(self, y: float) -> int:
        """The row nearest to a height in mm, inside the film."""
        return int(np.clip(np.searchsorted(self.y[:, 0], y), 0, self.size - 1))

    def column(self, x: float) -> int:
        """The column nearest to a position in mm, inside the film."""
        return int(np.clip(np.searchsorted(self.x[0], x), 0, self.size - 1))


def smooth_step(value: npt.NDArray[np.floating]) -> Image:
    """The logistic function, 0 to 1: an edge with partial volume."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(value, -30.0, 30.0))), dtype=np.float32)


def dome(quotient: npt.NDArray[np.floating], exponent: float = 0.5) -> Image:
    """(1 - q)^exponent where q < 1, else 0: the chord profile of an ellipsoid with q = (r / R)^2."""
    return np.asarray(np.maximum(1.0 - quotient, 0.0) ** exponent, dtype=np.float32)


Point = tuple[float, float]


def add_tube(
    grid: Grid, image: Image, points: Sequence[Point] | npt.NDArray[np.float64], radii: Sequence[float], *,
    hollow: float = 0.0, strength: float = 1.0,
) -> None:
    """Adds the chord length of a tube along a polyline to an image, in place.

    Segments of one tube are joined by their maximum, so that joints are not counted twice. Tubes thinner than a pixel keep
    their mass.

    Args:
        grid: The detector.
        image: float32 [size, size], mm.
        points: x and y of the centre line.
        radii: One per point.
        hollow: Inner radius as a share of the outer, for cortical bone and tubes; the marrow keeps a third of its chord.
        strength: Factor on the chord.
    """
    line = np.asarray(points, dtype=np.float32)
    radius = np.asarray(radii, dtype=np.float32)
    reach = float(radius.max()) + grid.pitch
    rows, columns = grid.window(
        float(line[:, 0].min()) - reach, float(line[:, 0].max()) + reach,
        float(line[:, 1].min()) - reach, float(line[:, 1].max()) + reach,
    )  # fmt: skip
    if rows.stop <= rows.start or columns.stop <= columns.start:
        return
    local = np.zeros((rows.stop - rows.start, columns.stop - columns.start), dtype=np.float32)
    for start in range(len(line) - 1):
        ends, ends_radius = line[start : start + 2], radius[start : start + 2]
        _draw_segment(grid, local, (rows.start, columns.start), ends, ends_radius, hollow)
    image[rows, columns] += np.float32(strength) * local


def _draw_segment(
    grid: Grid, local: Image, origin: tuple[int, int], ends: Image, radius: Image, hollow: float
) -> None:
    reach = float(radius.max()) + grid.pitch
    (left, top), (right, bottom) = ends.min(axis=0) - reach, ends.max(axis=0) + reach
    rows, columns = grid.window(float(left), float(right), float(top), float(bottom))
    if rows.stop <= rows.start or columns.stop <= columns.start:
        return
    step = ends[1] - ends[0]
    across, down = grid.x[:, columns] - ends[0, 0], grid.y[rows] - ends[0, 1]
    along = np.clip((across * step[0] + down * step[1]) / np.float32(step @ step + 1e-9), 0.0, 1.0)
    squared = (across - along * step[0]) ** 2 + (down - along * step[1]) ** 2
    here = (radius[0] + (radius[1] - radius[0]) * along) ** 2
    spread = here + np.float32(0.25 * grid.pitch**2)
    chord = 2.0 * np.sqrt(np.maximum(spread - squared, 0.0)) * (here / spread)
    if hollow:
        chord -= 1.3 * np.sqrt(np.maximum(here * np.float32(hollow**2) - squared, 0.0))
    part = local[
        rows.start - origin[0] : rows.stop - origin[0], columns.start - origin[1] : columns.stop - origin[1]
    ]
    np.maximum(part, chord, out=part)
