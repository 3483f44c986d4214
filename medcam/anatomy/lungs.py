"""Lung fields on a film: what is dark where the atlas, laid on a box, expects a lung."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from scipy import ndimage

from medcam.anatomy.atlas import LUNG_BOX, Atlas
from medcam.anatomy.grid import Box, resample
from medcam.anatomy.search import Placement, local_contrast
from medcam.core.arrays import BoolArray, FloatArray, frozen_array

ROUNDS = (0.10, 0.08, 0.06, 0.05)
"""How uncertain the atlas's outlines are in each round, as a share of the lungs' box."""
TRUST = 2.5
"""Most that a single pixel's brightness may speak for or against lung, in natural log odds."""
FEWEST_SHARE = 0.45
"""A lung that fills less than this share of what the atlas expects counts as hidden; the other one sets the box."""


@dataclass(frozen=True, eq=False)
class LungFields:
    """Both lungs as seen on a film.

    Args:
        right: float32 [height, width], how probably a pixel lies in the patient's right lung.
        left: The same of the left lung.
        box: Left, top, right, bottom of both together, in pixels.
        shares: Area seen of the right and of the left lung over the area that the atlas expects in the box.
        separation: Distance of the brightness in the lungs from that between and around them, in standard deviations.
    """

    right: FloatArray = field(repr=False)
    left: FloatArray = field(repr=False)
    box: Box
    shares: tuple[float, float]
    separation: float

    @property
    def both(self) -> FloatArray:
        """float32 [height, width], how probably a pixel lies in either lung."""
        return np.maximum(self.right, self.left)


def lung_fields(values: FloatArray, known: BoolArray, placement: Placement, atlas: Atlas) -> LungFields:
    """Finds the lungs near a placement.

    Args:
        values: float32 [height, width], the working picture.
        known: bool [height, width], body.
        placement: Where the lungs lie, roughly.
        atlas: The atlas.

    Returns:
        The lung fields; on a film without lungs they are whatever is dark near the placement.
    """
    box = placement.box
    contrast = local_contrast(values, known, 0.30 * (box[2] - box[0]))
    fields = LungFields(np.zeros_like(values), np.zeros_like(values), box, (0.0, 0.0), 0.0)
    for blur in ROUNDS:
        fields = _round(contrast, known, fields.box, blur, atlas)
    return fields


def _round(contrast: FloatArray, known: BoolArray, box: Box, blur: float, atlas: Atlas) -> LungFields:
    right_prior, left_prior = (lay(lung, box, known.shape) for lung in outlines(atlas, blur))
    near = _around(box, known.shape) & known
    odds, separation = _brightness_odds(contrast, right_prior, left_prior, near)
    right = _posterior(right_prior, odds, near)
    left = _posterior(left_prior, odds, near)
    shares = tuple(
        float((seen > 0.5).sum() / max(1.0, float(prior.sum())))
        for seen, prior in ((right, right_prior), (left, left_prior))
    )
    moved = _box_of(right > 0.5, left > 0.5, box, (shares[0], shares[1]))
    return LungFields(right, left, moved, (shares[0], shares[1]), separation)


@lru_cache(maxsize=16)
def outlines(atlas: Atlas, blur: float) -> tuple[FloatArray, FloatArray]:
    """The atlas's right and left lung, float32 [128, 128], blurred by a share of the lungs' box."""
    spread = blur * (LUNG_BOX[2] - LUNG_BOX[0])
    right, left = (
        frozen_array(ndimage.gaussian_filter(lung, spread, mode="nearest"), np.float32, 2, "outline")
        for lung in (atlas.right_lung, atlas.left_lung)
    )
    return right, left


def lay(values: FloatArray, box: Box, shape: tuple[int, ...]) -> FloatArray:
    """Lays an atlas map on a film so that the lungs' frame falls on `box`; float32 of `shape`."""
    left, top, right, bottom = LUNG_BOX
    x = left + (np.arange(shape[1]) + 0.5 - box[0]) * (right - left) / (box[2] - box[0])
    y = top + (np.arange(shape[0]) + 0.5 - box[1]) * (bottom - top) / (box[3] - box[1])
    return resample(values, y, x)


def _around(box: Box, shape: tuple[int, ...]) -> BoolArray:
    margin_x, margin_y = 0.2 * (box[2] - box[0]), 0.25 * (box[3] - box[1])
    x, y = np.arange(shape[1]) + 0.5, np.arange(shape[0]) + 0.5
    across = (x > box[0] - margin_x) & (x < box[2] + margin_x)
    along = (y > box[1] - margin_y) & (y < box[3] + margin_y)
    return np.asarray(along[:, None] & across[None, :])


def _brightness_odds(
    contrast: FloatArray, right: FloatArray, left: FloatArray, near: BoolArray
) -> tuple[FloatArray, float]:
    lungs = np.where(near, right + left, 0.0)
    tissue = np.where(near, 1.0 - np.minimum(right + left, 1.0), 0.0)
    dark, dark_spread = _weighted(contrast, lungs**2)
    bright, bright_spread = _weighted(contrast, tissue**2)
    spread = max(0.2, float(np.hypot(dark_spread, bright_spread)) / np.sqrt(2.0))
    separation = (bright - dark) / spread
    odds = np.clip(max(separation, 0.0) * (0.5 * (bright + dark) - contrast) / spread, -TRUST, TRUST)
    return np.asarray(ndimage.gaussian_filter(odds, 1.0), dtype=np.float32), float(separation)


def _weighted(values: FloatArray, weights: FloatArray) -> tuple[float, float]:
    total = float(weights.sum())
    if total <= 0.0:
        return 0.0, 1.0
    mean = float((values * weights).sum()) / total
    return mean, float(np.sqrt(((values - mean) ** 2 * weights).sum() / total))


def _posterior(prior: FloatArray, odds: FloatArray, near: BoolArray) -> FloatArray:
    expected = np.clip(prior, 0.01, 0.99)
    score = ndimage.gaussian_filter(np.log(expected / (1.0 - expected)) + odds, 1.0)
    lung = largest(near & (score > 0.0))
    return np.asarray(np.where(lung, 1.0 / (1.0 + np.exp(-np.abs(score))), 0.0), dtype=np.float32)


def largest(mask: BoolArray) -> BoolArray:
    """The largest connected part of a mask, its holes filled; bool of the same shape."""
    labels, count = ndimage.label(mask)
    if count == 0:
        return mask
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    found = int(np.argmax(sizes))
    window = ndimage.find_objects(labels, found)[-1]
    part = np.zeros_like(mask)
    part[window] = ndimage.binary_fill_holes(labels[window] == found)
    return part


def _box_of(right: BoolArray, left: BoolArray, box: Box, shares: tuple[float, float]) -> Box:
    """The box around the lungs seen; a hidden lung is given the other one's height and its old outer edge."""
    seen = [mask for mask, share in zip((right, left), shares, strict=True) if share >= FEWEST_SHARE]
    if not seen:
        return box
    rows, columns = np.nonzero(np.any(seen, axis=0))
    x0, x1 = np.percentile(columns + 0.5, [0.5, 99.5])
    y0, y1 = np.percentile(rows + 0.5, [0.5, 99.5])
    if shares[0] < FEWEST_SHARE:
        x0 = box[0]
    if shares[1] < FEWEST_SHARE:
        x1 = box[2]
    return float(x0), float(y0), float(x1), float(y1)
