"""Structures that zones make up: whole lungs, their upper and lower zones, periphery, costophrenic angles."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
from scipy import ndimage

from medcam.core.arrays import BoolArray
from medcam.core.zones import LUNG_ZONES, Zones

LUNGS, UPPER, LOWER = "lungs", "upper-lungs", "lower-lungs"
PERIPHERY, ANGLES = "lung-periphery", "costophrenic-angles"
STRUCTURES = (LUNGS, UPPER, LOWER, PERIPHERY, ANGLES)
"""Names of `structures`, in the order they are shown; they overlap."""

RIM = 0.25
"""Depth of the periphery, as a share of the lung's width; the side towards the heart is left out."""
CORNER = 0.4
"""Radius of an angle's disc around the lung's lowest outer point, as a share of the lung's width."""


_PARTS: Mapping[str, frozenset[str]] = {
    LUNGS: frozenset((*LUNG_ZONES, UPPER, LOWER, PERIPHERY)),
    UPPER: frozenset((LUNG_ZONES[0], LUNG_ZONES[3])),
    LOWER: frozenset((LUNG_ZONES[2], LUNG_ZONES[5])),
}


def lies_within(place: str, places: Collection[str]) -> bool:
    """Whether a zone or structure is one of some places, or by definition a part of one."""
    return place in places or any(place in _PARTS.get(whole, ()) for whole in places)


def structures(zones: Zones) -> Mapping[str, BoolArray]:
    """Masks of structures on the zones' own grid.

    Args:
        zones: Of a film.

    Returns:
        bool [height, width] per name of `STRUCTURES`. An angle reaches over the lung's edge: the fluid that fills it
        hides the diaphragm.
    """
    right, left = (np.any([zones.masks[name] for name in half], axis=0) for half in (LUNG_ZONES[:3], LUNG_ZONES[3:]))
    towards_right = _centre(right) < _centre(left)
    sides = ((right, towards_right), (left, not towards_right))
    return {
        LUNGS: right | left,
        UPPER: zones.masks[LUNG_ZONES[0]] | zones.masks[LUNG_ZONES[3]],
        LOWER: zones.masks[LUNG_ZONES[2]] | zones.masks[LUNG_ZONES[5]],
        PERIPHERY: np.any([_rim(lung, outer_is_left) for lung, outer_is_left in sides], axis=0),
        ANGLES: np.any([_angle(lung, outer_is_left) for lung, outer_is_left in sides], axis=0),
    }


def _centre(mask: BoolArray) -> float:
    """Mean column; 0 for an empty mask."""
    return float(np.nonzero(mask)[1].mean()) if mask.any() else 0.0


def _width(mask: BoolArray) -> int:
    return int(np.ptp(np.flatnonzero(mask.any(axis=0)))) + 1


def _rim(lung: BoolArray, outer_is_left: bool) -> BoolArray:
    """The part of a lung near its edge, but for the edge that faces the middle of the body."""
    if not lung.any():
        return lung
    # What lies inward of the lung in each row counts as lung, so that the inner edge is no edge.
    run = np.maximum.accumulate(lung if outer_is_left else lung[:, ::-1], axis=1)
    filled = np.pad(run if outer_is_left else run[:, ::-1], 1)
    depth = ndimage.distance_transform_edt(filled)[1:-1, 1:-1]
    return np.asarray(lung & (depth <= RIM * _width(lung)), dtype=np.bool_)


def _angle(lung: BoolArray, outer_is_left: bool) -> BoolArray:
    """A disc around the corner between chest wall and diaphragm."""
    if not lung.any():
        return lung
    rows, columns = np.nonzero(lung)
    outward = -columns if outer_is_left else columns
    corner = int(np.argmax(rows + outward))
    y, x = np.ogrid[: lung.shape[0], : lung.shape[1]]
    return np.asarray(np.hypot(y - rows[corner], x - columns[corner]) <= CORNER * _width(lung), dtype=np.bool_)
