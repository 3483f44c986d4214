"""The working picture: a film brought upright, shrunk to a small grid and freed of its grey-scale."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from medcam.anatomy.air import outer_air
from medcam.anatomy.grid import shrink
from medcam.core.arrays import BoolArray, FloatArray
from medcam.core.radiograph import Radiograph

LONGEST = 192
"""Pixels along the longer side of the working grid."""
SHORTEST = 64
"""A film whose shorter side falls below this on the working grid is no chest film."""
LEVELS = 1024


@dataclass(frozen=True, slots=True)
class Orientation:
    """How a film is brought upright: transpose first, then the flips.

    Args:
        transpose: Rows of the film run along the body's length.
        flip_x: The patient's right is on the right of the picture.
        flip_y: The head is at the bottom.
    """

    transpose: bool = False
    flip_x: bool = False
    flip_y: bool = False

    @classmethod
    def of(cls, patient_orientation: tuple[str, ...]) -> Orientation:
        """From Patient Orientation (0020,0020); what it does not say follows the usual convention."""
        row, column = (value[:1].upper() for value in (*patient_orientation, "", "")[:2])
        transpose = row in ("H", "F") or column in ("R", "L")
        across, along = (column, row) if transpose else (row, column)
        return cls(transpose, across == "R", along == "H")

    def aspect(self, aspect: float) -> float:
        """Height of a pixel over its width once the film is upright."""
        return 1.0 / aspect if self.transpose else aspect

    def upright(self, image: FloatArray) -> FloatArray:
        """Brings [height, width] into patient's right on the left, head up."""
        turned = image.T if self.transpose else image
        return turned[:: -1 if self.flip_y else 1, :: -1 if self.flip_x else 1]

    def back(self, mask: BoolArray) -> BoolArray:
        """The inverse of `upright`."""
        turned = mask[:: -1 if self.flip_y else 1, :: -1 if self.flip_x else 1]
        return turned.T if self.transpose else turned


@dataclass(frozen=True, eq=False)
class WorkingFilm:
    """A small upright picture of a film.

    Args:
        values: float32 [height, width], 0 (dark) to 1 (dense), equalised: grey levels are equally frequent.
        valid: bool [height, width], false on padding.
        orientation: How it was brought upright.
    """

    values: FloatArray = field(repr=False)
    valid: BoolArray = field(repr=False)
    orientation: Orientation

    @cached_property
    def air(self) -> BoolArray:
        """bool [height, width], outer air and padding; see `outer_air`."""
        return outer_air(self.values, self.valid)


def working_film(radiograph: Radiograph) -> WorkingFilm:
    """The working picture of a radiograph; its extent is the film's."""
    orientation = Orientation.of(radiograph.patient_orientation)
    pixels = orientation.upright(radiograph.pixels)
    height, width = working_shape(pixels.shape[0], pixels.shape[1], orientation.aspect(radiograph.pixel_aspect))
    if radiograph.padding is None:
        valid = np.ones((height, width), dtype=np.bool_)
        small = shrink(pixels, height, width)
    else:
        seen = np.asarray(~orientation.upright(radiograph.padding.astype(np.float32)).astype(np.bool_))
        share = shrink(seen.astype(np.float32), height, width)
        valid = share > 0.5
        small = shrink(np.where(seen, pixels, np.float32(0.0)), height, width)
        small = np.asarray(small / np.maximum(share, 1e-6), dtype=np.float32)
    return WorkingFilm(normalise(small, valid), valid, orientation)


def working_shape(height: int, width: int, aspect: float = 1.0) -> tuple[int, int]:
    """Rows and columns of the working grid of a film, whose cells are square; each at least 1.

    Args:
        height: Rows of the film.
        width: Columns of the film.
        aspect: Height of a pixel of the film divided by its width.
    """
    tall = height * aspect
    scale = LONGEST / max(tall, width)
    return max(1, round(tall * scale)), max(1, round(width * scale))


def normalise(image: FloatArray, valid: BoolArray | None = None) -> FloatArray:
    """Equalises a picture, so that nothing is left of its window, exposure or look-up table but their order.

    Args:
        image: float32 [height, width].
        valid: bool [height, width], the pixels that count; None for all.

    Returns:
        float32 [height, width] in 0..1; invalid pixels are 0, a constant picture is 0.5 throughout.
    """
    seen = np.ones(image.shape, dtype=np.bool_) if valid is None else valid
    if not seen.any():
        return np.zeros(image.shape, dtype=np.float32)
    low, high = np.percentile(image[seen], [0.5, 99.5])
    if not high > low:
        return np.where(seen, np.float32(0.5), np.float32(0.0))
    scaled = np.clip((image.astype(np.float64) - low) / (high - low), 0.0, 1.0)
    counts, edges = np.histogram(scaled[seen], bins=LEVELS, range=(0.0, 1.0))
    # The middle of a level's share of all pixels: a flat part (collimated border) gets one value, not a jump.
    ranks = (np.cumsum(counts) - 0.5 * counts) / counts.sum()
    equal = np.interp(scaled, 0.5 * (edges[1:] + edges[:-1]), ranks)
    return np.where(seen, 0.5 * (equal + scaled), 0.0).astype(np.float32)
