"""The detector's grid in mm and the chord lengths of simple bodies on it."""

from __future__ import annotations

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
