"""The grey film as drawn: display window applied, true proportions, small enough for a picture."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import cv2
import numpy as np
import numpy.typing as npt

from medcam.core.arrays import ByteArray
from medcam.core.errors import InvalidValueError
from medcam.core.radiograph import Radiograph

SMALLEST_SIDE = 64
"""Pictures with a shorter long side show nothing."""


@dataclass(frozen=True, eq=False)
class Film:
    """A film at drawn size. Draw it once and lay the maps of several findings over it.

    Args:
        grey: uint8 [height, width], denser is brighter.
        source_height: Rows of the radiograph.
        source_width: Columns of the radiograph.
        right_is_left_of_picture: Whether the patient's right is on the left; None when unknown.
    """

    grey: ByteArray = field(repr=False)
    source_height: int
    source_width: int
    right_is_left_of_picture: bool | None

    @classmethod
    def of(cls, radiograph: Radiograph, long_side: int = 1024) -> Film:
        """Windows and resamples a radiograph.

        Args:
            radiograph: The film; pixels that are not square are drawn in true proportion.
            long_side: Pixels along the longer side as drawn.

        Returns:
            The film, averaged down or interpolated up.

        Raises:
            InvalidValueError: The long side is too short to show anything.
        """
        if long_side < SMALLEST_SIDE:
            raise InvalidValueError(f"a picture needs a long side of at least {SMALLEST_SIDE} pixels, not {long_side}")
        height, width = drawn_size(radiograph.height, radiograph.width, radiograph.pixel_aspect, long_side)
        grey = _resized(radiograph.display(), height, width)
        return cls(grey, radiograph.height, radiograph.width, radiograph.right_is_left_of_picture)

    def reduced(self, height: int, width: int) -> Film:
        """The same film drawn smaller, or as it is where it is no larger.

        Args:
            height: Most rows.
            width: Most columns.
        """
        scale = min(height / self.height, width / self.width)
        if scale >= 1.0:
            return self
        rows, columns = max(1, int(self.height * scale)), max(1, int(self.width * scale))
        return replace(self, grey=_resized(self.grey, rows, columns))

    @property
    def height(self) -> int:
        """Rows as drawn."""
        return int(self.grey.shape[0])

    @property
    def width(self) -> int:
        """Columns as drawn."""
        return int(self.grey.shape[1])

    @property
    def letters(self) -> tuple[str, str] | None:
        """The patient's sides at the picture's left and right edge; None when the file does not state them."""
        if self.right_is_left_of_picture is None:
            return None
        return ("R", "L") if self.right_is_left_of_picture else ("L", "R")

    def points(self, source: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Source points (x, y) [n, 2] in drawn pixels, continuous from the top left corner."""
        scale = (self.width / self.source_width, self.height / self.source_height)
        return np.asarray(np.asarray(source, dtype=np.float64).reshape(-1, 2) * scale, dtype=np.float64)


def drawn_size(rows: int, columns: int, aspect: float, long_side: int) -> tuple[int, int]:
    """Height and width in drawn pixels, in the proportions of the detector plane.

    Args:
        rows: Rows of the film.
        columns: Columns of the film.
        aspect: Height of a pixel divided by its width.
        long_side: Drawn pixels along the side that is longer in mm.
    """
    tall, wide = rows * aspect, float(columns)
    scale = long_side / max(tall, wide)
    return max(1, round(tall * scale)), max(1, round(wide * scale))


def _resized(grey: ByteArray, height: int, width: int) -> ByteArray:
    rows, columns = grey.shape
    # Averaging first along the axes that shrink, then interpolating: one cubic pass would alias on shrinking axes.
    smaller = (min(width, columns), min(height, rows))
    shrunk = grey if smaller == (columns, rows) else cv2.resize(grey, smaller, interpolation=cv2.INTER_AREA)
    if smaller == (width, height):
        return np.ascontiguousarray(shrunk, dtype=np.uint8)
    return np.asarray(cv2.resize(shrunk, (width, height), interpolation=cv2.INTER_CUBIC), dtype=np.uint8)
