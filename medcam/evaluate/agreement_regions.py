"""How far two judges mark the same place."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from medcam.core.arrays import BoolArray
from medcam.core.errors import InvalidValueError
from medcam.core.finding import Point
from medcam.core.geometry import Box
from medcam.evaluate.localisation import mask_iou

RASTER = 256
"""Cells along each side of the box around both places: an edge lies within 1/512 of that box's side."""

Outline = Sequence[Point]


def outline_iou(first: Sequence[Outline], second: Sequence[Outline]) -> float:
    """Intersection over union of two places, each the union of closed outlines, 0 to 1.

    Args:
        first: Outlines in source pixels, each of three points or more; an outline that crosses itself is filled by the
            even-odd rule.
        second: The same of the other place.

    Raises:
        InvalidValueError: One of the places is empty, or an outline has fewer than three points.
    """
    if not first or not second:
        raise InvalidValueError("two places are compared, not one with nothing")
    corners = [(point.x, point.y) for outline in (*first, *second) for point in outline]
    low, high = np.min(corners, axis=0), np.max(corners, axis=0)
    if not (high > low).all():
        raise InvalidValueError("a place has an area")
    window = Box(float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1]))
    return mask_iou(*(_union(place, window) for place in (first, second)))


def box_outline(box: Box) -> tuple[Point, ...]:
    """The outline of a box."""
    left, top, right, bottom = box.corners
    return (Point(left, top), Point(right, top), Point(right, bottom), Point(left, bottom))


def outline_mask(outline: Outline, window: Box, side: int = RASTER) -> BoolArray:
    """Which cells of a raster have their centre inside an outline (even-odd rule).

    Args:
        outline: At least three points.
        window: What the raster covers.
        side: Its rows and columns.

    Returns:
        bool [side, side].

    Raises:
        InvalidValueError: The outline has fewer than three points.
    """
    if len(outline) < 3:
        raise InvalidValueError("an outline has three points or more")
    xs = (np.array([point.x for point in outline]) - window.x) / window.width * side
    ys = (np.array([point.y for point in outline]) - window.y) / window.height * side
    crossings = np.zeros((side, side + 1), np.int64)
    rows = np.arange(side) + 0.5
    for x, y, next_x, next_y in zip(xs, ys, np.roll(xs, -1), np.roll(ys, -1), strict=True):
        crossed = (rows >= min(y, next_y)) & (rows < max(y, next_y))
        where = x + (rows[crossed] - y) * (next_x - x) / (next_y - y) if crossed.any() else np.empty(0)
        # A cell is right of the edge where its centre is: the first such column.
        np.add.at(crossings, (np.flatnonzero(crossed), _column(where, side)), 1)
    return np.asarray(crossings[:, :side].cumsum(axis=1) % 2 == 1)


def _column(where: npt.NDArray[np.float64], side: int) -> npt.NDArray[np.int64]:
    return np.clip(np.ceil(where - 0.5), 0, side).astype(np.int64)


def _union(place: Sequence[Outline], window: Box) -> BoolArray:
    mask = np.zeros((RASTER, RASTER), np.bool_)
    for outline in place:
        mask |= outline_mask(outline, window)
    return mask
