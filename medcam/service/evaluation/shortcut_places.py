"""Where on a film evidence is no anatomy: markers, print, devices, borders, outside the body.

Masks lie on a small raster over the whole film. Print and markers are widened by `MARK_MARGIN`, as everywhere: a cell
of a map sees beyond itself. A pixel belongs to the first `Place` that claims it, so that what is erased in one place is
not counted in another.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from medcam.core.arrays import BoolArray
from medcam.core.geometry import Box
from medcam.evaluate.shortcuts.record import Place
from medcam.service.evaluation.cohort import MARK_MARGIN

RASTER = 512
"""Pixels along the longer side of the raster."""
FRAME = 0.04
"""Share of the film's shorter side that is its border."""
EVEN = 0.02
"""A row or column at the edge is a shutter where its values, their outer twentieths left out, span less than this share
of the film's range."""
WIDEST_SHUTTER = 0.3
"""Of the film's side."""


def raster_shape(height: int, width: int) -> tuple[int, int]:
    """Rows and columns of the raster of a film: its own where that is small enough."""
    scale = min(1.0, RASTER / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def on_raster(mask: BoolArray, shape: tuple[int, int]) -> BoolArray:
    """A mask over the whole film on another raster: a pixel that the mask touches belongs to it, none is lost."""
    if mask.shape == shape:
        return np.asarray(mask, dtype=np.bool_)
    found = np.zeros(shape, dtype=np.bool_)
    rows, columns = (np.arange(new) * old // new for new, old in zip(shape, mask.shape, strict=True))
    found[:] = mask[np.ix_(rows, columns)]
    hits = np.argwhere(mask)
    if hits.size:
        places = hits * np.array(shape) // np.array(mask.shape)
        found[places[:, 0], places[:, 1]] = True
    return found


def boxes_on_raster(boxes: Iterable[Box], height: int, width: int, shape: tuple[int, int]) -> BoolArray:
    """Boxes in source pixels of a film of `height` x `width`, as a mask on the raster."""
    found = np.zeros(shape, dtype=np.bool_)
    down, across = shape[0] / height, shape[1] / width
    for box in boxes:
        left, top, right, bottom = box.corners
        rows = slice(max(0, int(top * down)), int(np.ceil(bottom * down)))
        found[rows, max(0, int(left * across)) : int(np.ceil(right * across))] = True
    return found


def widened(mask: BoolArray, share: float = MARK_MARGIN) -> BoolArray:
    """A mask grown to all sides by a share of the raster's longer side."""
    reach = round(share * max(mask.shape))
    return ndimage.maximum_filter(mask, size=2 * reach + 1) if reach else mask


def border(pixels: npt.NDArray[np.floating], padding: BoolArray | None, shape: tuple[int, int]) -> BoolArray:
    """The film's frame, its padding, and shutters: rows and columns from an edge on that are even throughout.

    Args:
        pixels: float [height, width].
        padding: bool [height, width] or None.
        shape: Of the raster.
    """
    rows, columns = (np.arange(new) * old // new for new, old in zip(shape, pixels.shape, strict=True))
    small = pixels[np.ix_(rows, columns)]
    found = np.zeros(shape, dtype=np.bool_) if padding is None else on_raster(padding, shape)
    reach = max(1, round(FRAME * min(shape)))
    for axis in (0, 1):
        for side in (small, np.flip(small, axis)):
            depth = max(reach, _shutter(np.moveaxis(side, axis, 0), small))
            view = np.moveaxis(found if side is small else np.flip(found, axis), axis, 0)
            view[:depth] = True
    return found


def _shutter(lines: npt.NDArray[np.floating], film: npt.NDArray[np.floating]) -> int:
    """How many lines from the first on are even."""
    low, high = np.percentile(film, (0.5, 99.5))
    spans = np.subtract(*np.percentile(lines, (95, 5), axis=1))
    uneven = np.flatnonzero(spans > EVEN * max(float(high - low), 1e-12))
    depth = int(uneven[0]) if uneven.size else len(lines)
    return depth if depth <= WIDEST_SHUTTER * len(lines) else 0


def disjoint(masks: Mapping[Place, BoolArray]) -> dict[Place, BoolArray]:
    """Every pixel to the first place that claims it; places without a pixel are left out."""
    found: dict[Place, BoolArray] = {}
    taken: BoolArray | None = None
    for place in Place:
        if place not in masks:
            continue
        own = masks[place] if taken is None else masks[place] & ~taken
        taken = masks[place].copy() if taken is None else taken | masks[place]
        if own.any():
            found[place] = own
    return found
