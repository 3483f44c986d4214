"""What a model shows of one finding on one film, whoever the model is: a heat map, or a place already cut out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from medcam.core.arrays import BoolArray, FloatArray
from medcam.core.errors import InvalidValueError
from medcam.core.geometry import GridTransform
from medcam.core.resample import Sampler
from medcam.evaluate.formats.places import Place

GREY_LEVELS = 256


class Floor(StrEnum):
    """Which value of a map counts as nothing, where its strength is measured as a share of its highest value."""

    ZERO = "zero"
    """Signed maps: 0 is no evidence, evidence against is none for."""
    MINIMUM = "minimum"
    """Maps of unknown units: the lowest value on the film, as CheXlocalize scales them."""


@dataclass(frozen=True, eq=False)
class Heat:
    """A heat map on a grid.

    Args:
        values: float32 [h, w].
        transform: From the film's pixels to the grid, resampled bicubically; None for a grid that spans the whole
            film, resampled bilinearly as CheXlocalize's maps are.
        floor: What counts as nothing.
    """

    values: FloatArray = field(repr=False)
    transform: GridTransform | None = None
    floor: Floor = Floor.ZERO

    def __post_init__(self) -> None:
        values = np.asarray(self.values, dtype=np.float32)
        if values.ndim != 2 or 0 in values.shape or not np.isfinite(values).all():
            raise InvalidValueError(f"a heat map needs finite values [height, width], not {values.shape}")
        object.__setattr__(self, "values", values)

    def over(self, height: int, width: int) -> Surface:
        """The map over the whole film, on a raster [height, width]."""
        if self.transform is None:
            values = _bilinear(self.values.shape[0], height) @ self.values @ _bilinear(self.values.shape[1], width).T
            return Surface(values.astype(np.float32), np.ones((height, width), dtype=np.bool_), self.floor)
        sampler = Sampler.to_source(self.transform, height, width)
        return Surface(sampler.apply(self.values), sampler.inside, self.floor)


@dataclass(frozen=True, eq=False)
class Surface:
    """A heat map over a film.

    Args:
        values: float32 [height, width].
        seen: bool [height, width]: what the model saw.
        floor: What counts as nothing.
    """

    values: FloatArray = field(repr=False)
    seen: BoolArray = field(repr=False)
    floor: Floor

    @property
    def peak(self) -> tuple[int, int]:
        """Row and column of the highest value that was seen; the first in reading order of equals."""
        row, column = np.unravel_index(int(np.where(self.seen, self.values, -np.inf).argmax()), self.values.shape)
        return int(row), int(column)

    def strength(self) -> FloatArray:
        """float32 [height, width]: 0 for nothing, 1 for the highest value; 0 everywhere on a map without any heat."""
        low = 0.0 if self.floor is Floor.ZERO else float(self.values.min())
        high = float(self.values.max())
        if high <= low:
            return np.zeros_like(self.values)
        return np.asarray(np.clip((self.values - low) / (high - low), 0.0, 1.0), dtype=np.float32)

    def order(self, steps: int) -> npt.NDArray[np.int64]:
        """int64 [height, width]: 0 to `steps` - 1, lowest to highest value that was seen; 0 where nothing was seen."""
        seen = self.values[self.seen]
        low, high = (float(seen.min()), float(seen.max())) if seen.size else (0.0, 0.0)
        if high <= low:
            return np.zeros(self.values.shape, dtype=np.int64)
        scaled = np.clip((self.values - low) / (high - low), 0.0, 1.0) * steps
        return np.where(self.seen, np.minimum(scaled.astype(np.int64), steps - 1), 0)


@dataclass(frozen=True, eq=False)
class Shown:
    """What a model shows of one finding on one film.

    Args:
        heat: Its heat map, where there is one.
        place: What is already cut out, where there is no map.
        region: Cuts a map out by a rule of the model's own, bool [height, width]; None without such a rule.
        probability: Of the finding, where it is known.
        present: Whether the model calls it present, where that is known.
        height: Rows of the film as the model had it, where known.
        width: Columns, likewise.
    """

    heat: Heat | None = None
    place: Place | None = None
    region: Callable[[int, int], BoolArray] | None = None
    probability: float | None = None
    present: bool | None = None
    height: int | None = None
    width: int | None = None


def otsu(strength: FloatArray) -> float:
    """The threshold that parts a map into two groups with the least spread within (Otsu 1979), over 256 grey levels.

    Args:
        strength: [height, width], 0 to 1.

    Returns:
        A threshold: what lies above it is the region.
    """
    levels = (strength * (GREY_LEVELS - 1)).astype(np.int64)
    counts = np.bincount(levels.ravel(), minlength=GREY_LEVELS).astype(np.float64)
    below, total = counts.cumsum(), counts.sum()
    moment = (counts * np.arange(GREY_LEVELS)).cumsum()
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = (moment[-1] * below / total - moment) ** 2 / (below * (total - below))
    best = int(np.nanargmax(np.where(np.isfinite(spread), spread, -1.0)))
    # Levels hold what is cut off below: all of level `best` goes to the lower group.
    return float((best + 1) / (GREY_LEVELS - 1) - 1e-7)


def _bilinear(cells: int, pixels: int) -> npt.NDArray[np.float64]:
    """Weights [pixels, cells] of linear interpolation between the centres of cells; the edge value continues."""
    at = np.clip((np.arange(pixels) + 0.5) * cells / pixels - 0.5, 0.0, cells - 1.0)
    low = np.minimum(np.floor(at).astype(np.int64), max(cells - 2, 0))
    weights = np.zeros((pixels, cells))
    lines = np.arange(pixels)
    weights[lines, low] = 1.0 - (at - low)
    if cells > 1:
        weights[lines, low + 1] += at - low
    return weights
