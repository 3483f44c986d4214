"""Shares of a map's positive evidence: how much of it lies under masks, and how closely it stands together."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from medcam.cam.cells import CellCover
from medcam.core.activation import ActivationMap
from medcam.core.arrays import BoolArray
from medcam.core.errors import InvalidValueError


def positive_part(activation: ActivationMap) -> ActivationMap:
    """The map with all evidence against cut off at 0 and no bias, so that its ledger splits the positive evidence."""
    return ActivationMap(
        np.maximum(activation.values, 0.0),
        0.0,
        activation.transform,
        activation.method,
        activation.layer,
        relation=activation.relation,
    )


def turned(activation: ActivationMap) -> ActivationMap:
    """The map with its sign turned, so that the evidence against is positive; without a bias."""
    return ActivationMap(
        -activation.values,
        0.0,
        activation.transform,
        activation.method,
        activation.layer,
        relation=activation.relation,
    )


def positive_shares(activation: ActivationMap, masks: Mapping[str, BoolArray]) -> dict[str, float]:
    """Shares of the positive evidence under masks, which may overlap.

    Each cell counts with the fraction of its area that a mask covers, as in `medcam.cam.evidence`.

    Args:
        activation: The raw map.
        masks: bool [height, width] over the whole film, of any resolution, all of one shape.

    Returns:
        0 to 1 per mask; all 0 where the map has no positive cell.

    Raises:
        InvalidValueError: The masks differ in shape, or there is none.
    """
    shapes = {mask.shape for mask in masks.values()}
    if len(shapes) != 1:
        raise InvalidValueError("shares need masks of one shape")
    [(height, width)] = shapes
    positive = np.maximum(activation.values, 0.0, dtype=np.float64)
    total = float(positive.sum())
    if total <= 0.0:
        return dict.fromkeys(masks, 0.0)
    cover = CellCover.of(activation.transform, height, width)
    return {name: min(1.0, float((positive * cover.fractions(mask)).sum()) / total) for name, mask in masks.items()}


def touched_share(activation: ActivationMap, mask: BoolArray) -> tuple[float, float]:
    """Evidence of the cells that a small thing touches.

    A marker may be smaller than a cell: of a cell that it lies in, everything counts, other than in `positive_shares`.

    Args:
        activation: The raw map.
        mask: bool [height, width] over the whole film, of any resolution.

    Returns:
        Share of the positive evidence in cells that the mask touches (0 where no cell is positive), and the share of
        the cells that it touches.
    """
    touched = CellCover.of(activation.transform, *mask.shape).fractions(mask) > 0.0
    positive = np.maximum(activation.values, 0.0, dtype=np.float64)
    total = float(positive.sum())
    return (float(positive[touched].sum()) / total if total > 0.0 else 0.0), float(touched.mean())


def half_area(activation: ActivationMap) -> float:
    """The smallest share of the map's cells that holds half of the positive evidence.

    Near 0 where the evidence stands in one place, one half where every cell has the same; one half too where there is
    no positive cell.
    """
    positive = np.sort(np.maximum(activation.values, 0.0, dtype=np.float64).ravel())[::-1]
    total = float(positive.sum())
    if total <= 0.0:
        return 0.5
    needed = int(np.searchsorted(np.cumsum(positive), 0.5 * total)) + 1
    return min(0.5, needed / positive.size)
