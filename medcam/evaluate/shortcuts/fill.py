"""Filling a part of a picture from its surroundings, and choosing as large a part elsewhere to compare with."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from medcam.core.arrays import BoolArray, FloatArray
from medcam.core.errors import InvalidValueError

SHIFTED = 0.08
"""Share of the picture up to which a control is the same shape at another place; beyond, it is the band around it."""
_TRIES = 60
"""Places that are tried for one control."""
_OVERLAP = 0.1
"""Share of a control that may lie where it should not."""


def fill_in(image: npt.NDArray[np.floating], mask: BoolArray) -> FloatArray:
    """Fills a part of a picture smoothly from what surrounds it.

    By the pull-push algorithm (Gortler, Grzeszczuk, Szeliski and Cohen 1996, "The Lumigraph", section 3.4.3): means of
    known pixels on ever coarser grids, taken back to the finer ones where nothing is known. Noise is not imitated.

    Args:
        image: float [height, width].
        mask: bool [height, width]: what is to be filled; the rest is returned as it is.

    Raises:
        InvalidValueError: The shapes differ, or nothing of the picture is left.
    """
    values = np.asarray(image, dtype=np.float64)
    if values.ndim != 2 or mask.shape != values.shape or mask.all():
        raise InvalidValueError(
            "a fill needs a picture [height, width], and a mask of its shape that leaves some of it"
        )
    if not mask.any():
        return np.asarray(image, dtype=np.float32)
    filled = _pulled_and_pushed(values, (~mask).astype(np.float64))
    return np.asarray(np.where(mask, filled, values), dtype=np.float32)


def _pulled_and_pushed(values: npt.NDArray[np.float64], weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    if weights.min() >= 1.0:
        return values
    height, width = values.shape
    if max(height, width) <= 2:
        return np.full_like(values, float((values * weights).sum() / max(weights.sum(), 1e-12)))
    sums, total = _blocks(values * weights), _blocks(weights)
    coarse = _pulled_and_pushed(sums / np.maximum(total, 1e-12), np.minimum(total, 1.0))
    # Cell centres of the coarse grid lie half a fine pixel inside; coordinates beyond the outermost take its value.
    rows, columns = ((np.arange(side) - 0.5) / 2.0 for side in (height, width))
    grid = np.meshgrid(rows, columns, indexing="ij")
    pushed = ndimage.map_coordinates(coarse, grid, order=1, mode="nearest")
    return np.asarray(weights * values + (1.0 - weights) * pushed, dtype=np.float64)


def _blocks(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Sums over blocks of 2 x 2, a missing row or column counting nothing."""
    height, width = (-(-side // 2) for side in values.shape)
    padded = np.zeros((2 * height, 2 * width))
    padded[: values.shape[0], : values.shape[1]] = values
    return np.asarray(padded.reshape(height, 2, width, 2).sum(axis=(1, 3)), dtype=np.float64)


def control_masks(mask: BoolArray, avoid: BoolArray, count: int, seed: int) -> list[BoolArray]:
    """Parts of the picture as large as a mask, elsewhere.

    A small mask is moved as it is, to random places that keep clear of `avoid`. A large one, which has no other place,
    has one control: the band of its size that lies nearest around it.

    Args:
        mask: bool [height, width], with at least one pixel.
        avoid: bool [height, width]: where a control must not lie, the mask itself always left out.
        count: How many places, at least 1.
        seed: Of the places.

    Returns:
        `count` masks or fewer; none where the picture has no room.

    Raises:
        InvalidValueError: The mask is empty, the shapes differ or the count is below 1.
    """
    if mask.ndim != 2 or mask.shape != avoid.shape or not mask.any() or count < 1:
        raise InvalidValueError(
            "controls need a mask with a pixel, what to avoid in its shape, and a count of at least 1"
        )
    if mask.mean() > SHIFTED:
        band = _band(mask, avoid | mask)
        return [] if band is None else [band]
    return _moved(mask, avoid | mask, count, np.random.default_rng(seed))


def _moved(mask: BoolArray, avoid: BoolArray, count: int, rng: np.random.Generator) -> list[BoolArray]:
    height, width = mask.shape
    place = ndimage.find_objects(mask.astype(np.int8))[0]
    shape = mask[place]
    found: list[BoolArray] = []
    for _ in range(_TRIES * count):
        top, left = (int(rng.integers(side - size + 1)) for side, size in zip(mask.shape, shape.shape, strict=True))
        there = (slice(top, top + shape.shape[0]), slice(left, left + shape.shape[1]))
        if float((avoid[there] & shape).sum()) > _OVERLAP * float(shape.sum()):
            continue
        moved = np.zeros((height, width), dtype=np.bool_)
        moved[there] = shape
        found.append(moved)
        if len(found) == count:
            break
    return found


def _band(mask: BoolArray, avoid: BoolArray) -> BoolArray | None:
    size = int(mask.sum())
    free = np.flatnonzero(~avoid)
    if free.size < size:
        return None
    distance = ndimage.distance_transform_edt(~mask).ravel()[free]
    band = np.zeros(mask.size, dtype=np.bool_)
    band[free[np.argsort(distance, kind="stable")[:size]]] = True
    return band.reshape(mask.shape)
