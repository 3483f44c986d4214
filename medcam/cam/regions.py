"""Regions: the parts of a film that a map highlights, in source pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from skimage.measure import find_contours

from medcam.cam.cells import CellCover
from medcam.cam.parts import Parts
from medcam.core.activation import ActivationMap
from medcam.core.arrays import BoolArray, FloatArray
from medcam.core.card import RegionRule
from medcam.core.errors import InvalidValueError
from medcam.core.finding import Point, Region
from medcam.core.geometry import Box
from medcam.core.resample import Sampler
from medcam.core.threshold import region_threshold

WORKING_SIDE = 512
"""Pixels along the longer side of the film on which regions are found."""

Window = tuple[slice, ...]

_STRIDE = 4
"""Every how many-th point of a contour is kept; sharp corners always are."""


def regions(activation: ActivationMap, *rules: RegionRule, resolution: int = WORKING_SIDE) -> tuple[Region, ...]:
    """The regions of one map by one or more rules.

    The map is resampled bicubically (`medcam.core.resample`) to a working grid over the whole film and thresholded
    there; parts are 8-connected. The paper's rule is 20 % of the maximum and the largest part (Zhou et al. 2015,
    section 3.2).

    Args:
        activation: The raw map.
        rules: Region rules; the regions of an earlier rule come first.
        resolution: Pixels along the longer side of the working grid.

    Returns:
        Regions in source pixels, within a rule by falling share of the positive evidence. A share is the exact,
        area-weighted part of the map's positive cells under the region. Contours are closed polygons whose first
        point is not repeated; holes are left out. Empty where the map is nowhere positive on the film.

    Raises:
        InvalidValueError: The resolution is not positive.
    """
    surface = _Surface.of(activation, *working_grid(activation, resolution))
    if surface.highest <= 0.0:
        return ()
    return tuple(region for rule in rules for region in _by_rule(surface, rule))


def region_mask(activation: ActivationMap, rule: RegionRule, height: int, width: int) -> BoolArray:
    """The union of a rule's regions as bool [height, width] over the whole film, for evaluation.

    Thresholding and part selection happen on that raster itself, so it should be finer than the map's grid.

    Raises:
        InvalidValueError: The raster has no pixel.
    """
    values, cells = _resampled(activation, height, width)
    mask = np.zeros((height, width), dtype=np.bool_)
    if not cells.any() or values.max() <= 0.0:
        return mask
    over = values > region_threshold(rule, float(values.max()))
    # On a raster as fine as the film all that follows costs far more than this look for the part that counts.
    window = _span(over, along=0), _span(over, along=1)
    shares = CellCover.of(activation.transform, height, width).within(*window).spread(cells)
    parts = Parts.find(over[window][None], shares[None])
    mask[window] = parts.mask(parts.kept(rule.largest_only, rule.smallest_share))[0]
    return mask


def peak(activation: ActivationMap, *, resolution: int = WORKING_SIDE) -> Point:
    """Where the resampled map is highest within the model's view, in source pixels (for the pointing game).

    It exists for every map, positive or not; of equal points it is the first in reading order.
    """
    height, width = working_grid(activation, resolution)
    sampler = Sampler.to_source(activation.transform, height, width)
    values = np.where(sampler.inside, sampler.apply(activation.values), -np.inf)
    row, column = np.unravel_index(int(values.argmax()), values.shape)
    return _source_point(activation, values.shape, float(row), float(column))


def working_grid(activation: ActivationMap, resolution: int) -> tuple[int, int]:
    """Rows and columns of a raster over the film whose longer side has `resolution` pixels.

    Raises:
        InvalidValueError: The resolution is not positive.
    """
    if resolution < 1:
        raise InvalidValueError(f"a working grid needs at least one pixel along its side, not {resolution}")
    height, width = activation.transform.source_height, activation.transform.source_width
    longer = max(height, width)
    return max(1, round(resolution * height / longer)), max(1, round(resolution * width / longer))


@dataclass(frozen=True, eq=False)
class _Surface:
    """A map resampled over the film, with the share of the positive evidence that each pixel carries."""

    activation: ActivationMap
    values: FloatArray
    shares: npt.NDArray[np.float64]
    highest: float

    @classmethod
    def of(cls, activation: ActivationMap, height: int, width: int) -> _Surface:
        values, cells = _resampled(activation, height, width)
        shares = CellCover.of(activation.transform, height, width).spread(cells)
        return cls(activation, values, shares, float(values.max()) if cells.any() else 0.0)

    def parts(self, threshold: float) -> Parts:
        return Parts.find((self.values > threshold)[None], self.shares[None])


def _resampled(activation: ActivationMap, height: int, width: int) -> tuple[FloatArray, npt.NDArray[np.float64]]:
    """A map on a raster over the film, and the share of the positive evidence that each of its cells carries.

    The kernel may swing over 0 between cells of which none is positive: that is no evidence, and all shares are 0.
    """
    values = Sampler.to_source(activation.transform, height, width).apply(activation.values)
    positive = np.maximum(activation.values, 0.0, dtype=np.float64)
    total = float(positive.sum())
    return values, positive / total if total else positive


def _span(over: BoolArray, along: int) -> slice:
    """From the first row (0) or column (1) that holds something to the last; nothing where none does."""
    places = np.flatnonzero(over.any(axis=1 - along))
    return slice(int(places[0]), int(places[-1]) + 1) if places.size else slice(0)


def _by_rule(surface: _Surface, rule: RegionRule) -> list[Region]:
    threshold = region_threshold(rule, surface.highest)
    parts = surface.parts(threshold)
    keep = parts.kept(rule.largest_only, rule.smallest_share)
    windows = ndimage.find_objects(parts.labels[0])
    kept = sorted(np.flatnonzero(keep), key=lambda k: -parts.share[k])
    return [
        _region(surface, parts.labels[0][windows[k]] == k + 1, windows[k], threshold, float(parts.share[k]), rule.name)
        for k in kept
    ]


def _region(surface: _Surface, part: BoolArray, window: Window, threshold: float, share: float, rule: str) -> Region:
    activation, shape = surface.activation, surface.values.shape
    values = surface.values[window]
    top, left = window[0].start, window[1].start
    row, column = np.unravel_index(int(np.where(part, values, -np.inf).argmax()), part.shape)
    step_y = activation.transform.source_height / shape[0]
    step_x = activation.transform.source_width / shape[1]
    outline = _outline(surface, window, part, threshold)
    return Region(
        box=Box(left * step_x, top * step_y, part.shape[1] * step_x, part.shape[0] * step_y),
        peak=_source_point(activation, shape, top + float(row), left + float(column)),
        share=min(share, 1.0),
        contour=tuple(_source_point(activation, shape, float(y), float(x)) for y, x in outline),
        rule=rule,
    )


def _outline(surface: _Surface, window: Window, part: BoolArray, threshold: float) -> npt.NDArray[np.float64]:
    """Outer contour of one part as (row, column) of working pixels [points, 2]."""
    height, width = surface.values.shape
    top, bottom = max(window[0].start - 1, 0), min(window[0].stop + 1, height)
    left, right = max(window[1].start - 1, 0), min(window[1].stop + 1, width)
    own = np.pad(
        part,
        (
            (window[0].start - top, bottom - window[0].stop),
            (window[1].start - left, right - window[1].stop),
        ),
    )
    values = surface.values[top:bottom, left:right].astype(np.float64)
    values = np.where(own | (values <= threshold), values, 2.0 * threshold - values)
    # One more pixel, mirrored at the threshold, closes the contour on the film's edge, half a pixel from the centres.
    values = np.pad(values, 1, mode="edge")
    rim = np.ones(values.shape, dtype=np.bool_)
    rim[1:-1, 1:-1] = False
    values[rim] = np.minimum(values[rim], 2.0 * threshold - values[rim])
    contours = find_contours(values, threshold, fully_connected="high")
    outer = max(contours, key=_enclosed)
    simple = _thinned(outer[:-1])
    placed = np.add(simple, [top - 1, left - 1])
    return np.asarray(np.clip(placed, -0.5, np.array([height, width]) - 0.5))


def _thinned(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Fewer points of a closed contour [points, 2]: smooth stretches keep every fourth, within 0.2 working pixels."""
    before, after = points - np.roll(points, 2, axis=0), np.roll(points, -2, axis=0) - points
    lengths = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
    keep = (before * after).sum(axis=1) < 0.8 * lengths
    keep[::_STRIDE] = True
    return points[keep] if keep.sum() >= 3 else points


def _enclosed(contour: npt.NDArray[np.float64]) -> float:
    y, x = contour[:, 0], contour[:, 1]
    return abs(float(np.dot(x[:-1], y[1:]) - np.dot(x[1:], y[:-1])))


def _source_point(activation: ActivationMap, shape: tuple[int, ...], row: float, column: float) -> Point:
    transform = activation.transform
    return Point((column + 0.5) * transform.source_width / shape[1], (row + 0.5) * transform.source_height / shape[0])
