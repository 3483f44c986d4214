"""Boxes and the transform between a model's grid and the source pixels.

Coordinates are continuous, origin at the top left corner of the image, x to the right, y down; pixel (column i, row j)
covers the square from (i, j) to (i + 1, j + 1).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from medcam.core.errors import InvalidValueError


@dataclass(frozen=True, slots=True)
class Box:
    """An axis-aligned box: covers x .. x + width and y .. y + height."""

    x: float
    y: float
    width: float
    height: float

    def __post_init__(self) -> None:
        if not all(map(math.isfinite, (self.x, self.y, self.width, self.height))):
            raise InvalidValueError("a box needs finite numbers")
        if self.width <= 0 or self.height <= 0:
            raise InvalidValueError(f"a box needs a positive size, not {self.width} x {self.height}")

    @property
    def area(self) -> float:
        """Area in square pixels."""
        return self.width * self.height

    @property
    def corners(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom."""
        return self.x, self.y, self.x + self.width, self.y + self.height

    def contains(self, x: float, y: float) -> bool:
        """Whether a point lies in the box (its right and lower edge excluded)."""
        left, top, right, bottom = self.corners
        return left <= x < right and top <= y < bottom

    def intersection(self, other: Box) -> Box | None:
        """The common part, or None where the boxes do not overlap."""
        left, top = max(self.x, other.x), max(self.y, other.y)
        right = min(self.x + self.width, other.x + other.width)
        bottom = min(self.y + self.height, other.y + other.height)
        return Box(left, top, right - left, bottom - top) if right > left and bottom > top else None

    def iou(self, other: Box) -> float:
        """Intersection over union, 0 to 1."""
        common = self.intersection(other)
        shared = common.area if common else 0.0
        return shared / (self.area + other.area - shared)

    @classmethod
    def around(cls, mask: npt.NDArray[np.bool_]) -> Box:
        """The tightest box around the true pixels of a mask [height, width].

        Raises:
            InvalidValueError: No pixel is true.
        """
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        if rows.size == 0:
            raise InvalidValueError("an empty mask has no box")
        left, top = int(columns[0]), int(rows[0])
        return cls(left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top)


@dataclass(frozen=True, slots=True)
class GridTransform:
    """Axis-aligned map from source pixels to a grid: crop, pad, resize and flip, in any order, invertible.

    grid_x = scale_x * source_x + offset_x, likewise y; a negative scale is a flip. Build one from `identity` and the
    methods that add a step; each returns a new transform.
    """

    source_height: int
    source_width: int
    height: int
    width: int
    scale_y: float = 1.0
    scale_x: float = 1.0
    offset_y: float = 0.0
    offset_x: float = 0.0

    def __post_init__(self) -> None:
        if min(self.source_height, self.source_width, self.height, self.width) < 1:
            raise InvalidValueError("a grid needs at least one row and one column")
        if not all(map(math.isfinite, (self.scale_x, self.scale_y, self.offset_x, self.offset_y))):
            raise InvalidValueError("a grid transform needs finite numbers")
        if self.scale_x == 0 or self.scale_y == 0:
            raise InvalidValueError("a grid transform with scale 0 has no inverse")

    @classmethod
    def identity(cls, height: int, width: int) -> GridTransform:
        """The grid that is the source itself."""
        return cls(height, width, height, width)

    def crop(self, top: int, left: int, height: int, width: int) -> GridTransform:
        """Keeps `height` x `width` grid cells from (top, left) on."""
        if top < 0 or left < 0 or top + height > self.height or left + width > self.width:
            raise InvalidValueError("the crop leaves the grid")
        return replace(self, height=height, width=width, offset_y=self.offset_y - top, offset_x=self.offset_x - left)

    def pad(self, top: int, bottom: int, left: int, right: int) -> GridTransform:
        """Adds cells around the grid."""
        if min(top, bottom, left, right) < 0:
            raise InvalidValueError("padding cannot be negative: crop instead")
        return replace(
            self,
            height=self.height + top + bottom,
            width=self.width + left + right,
            offset_y=self.offset_y + top,
            offset_x=self.offset_x + left,
        )

    def resize(self, height: int, width: int) -> GridTransform:
        """Resamples the grid to another number of cells over the same extent."""
        fy, fx = height / self.height, width / self.width
        return replace(
            self,
            height=height,
            width=width,
            scale_y=self.scale_y * fy,
            scale_x=self.scale_x * fx,
            offset_y=self.offset_y * fy,
            offset_x=self.offset_x * fx,
        )

    def flip_horizontal(self) -> GridTransform:
        """Mirrors left and right."""
        return replace(self, scale_x=-self.scale_x, offset_x=self.width - self.offset_x)

    def flip_vertical(self) -> GridTransform:
        """Mirrors top and bottom."""
        return replace(self, scale_y=-self.scale_y, offset_y=self.height - self.offset_y)

    def to_grid(self, x: float, y: float) -> tuple[float, float]:
        """A source point in grid coordinates."""
        return self.scale_x * x + self.offset_x, self.scale_y * y + self.offset_y

    def to_source(self, x: float, y: float) -> tuple[float, float]:
        """A grid point in source coordinates."""
        return (x - self.offset_x) / self.scale_x, (y - self.offset_y) / self.scale_y

    def box_to_grid(self, box: Box) -> Box:
        """A source box in grid coordinates."""
        left, top, right, bottom = box.corners
        return _box_between(self.to_grid(left, top), self.to_grid(right, bottom))

    def box_to_source(self, box: Box) -> Box:
        """A grid box in source coordinates. It may reach over the image where the grid was padded."""
        left, top, right, bottom = box.corners
        return _box_between(self.to_source(left, top), self.to_source(right, bottom))

    @property
    def matrix(self) -> npt.NDArray[np.float64]:
        """3 x 3 homogeneous matrix from source (x, y, 1) to grid."""
        return np.array([[self.scale_x, 0.0, self.offset_x], [0.0, self.scale_y, self.offset_y], [0.0, 0.0, 1.0]])


def _box_between(first: tuple[float, float], second: tuple[float, float]) -> Box:
    left, right = sorted((first[0], second[0]))
    top, bottom = sorted((first[1], second[1]))
    return Box(left, top, right - left, bottom - top)
