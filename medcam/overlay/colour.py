"""Colour scales for evidence: built in CIELAB, even in perceived steps, told apart by colour-blind readers.

Positive evidence runs from violet over orange to pale yellow, with lightness that only rises. Signed evidence runs from
blue (against) over grey to orange (for), each arm rising in lightness: blue and orange stay apart in all common kinds
of colour blindness.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
from skimage.color import lab2rgb

from medcam.core.arrays import ByteArray

LEVELS = 256
"""Entries of a colour table."""

_POSITIVE = ((34.0, 44.0, -46.0), (47.0, 62.0, -8.0), (60.0, 56.0, 44.0), (76.0, 22.0, 70.0), (92.0, -8.0, 62.0))
_NEUTRAL = (46.0, 0.0, 0.0)
_AGAINST = ((58.0, 0.0, -34.0), (74.0, -14.0, -36.0), (84.0, -18.0, -22.0))
_FOR = ((58.0, 44.0, 48.0), (74.0, 26.0, 66.0), (88.0, 0.0, 64.0))


@cache
def positive_colours() -> ByteArray:
    """Colours of evidence 0 .. full scale: uint8 RGB [256, 3], read-only."""
    return _table(_POSITIVE, LEVELS)


@cache
def signed_colours() -> ByteArray:
    """Colours of evidence -full scale .. +full scale, neutral in the middle: uint8 RGB [256, 3], read-only."""
    half = LEVELS // 2
    against = _table((_NEUTRAL, *_AGAINST), half)[::-1]
    table = np.concatenate((against, _table((_NEUTRAL, *_FOR), half)))
    table.flags.writeable = False
    return table


def _table(anchors: tuple[tuple[float, float, float], ...], count: int) -> ByteArray:
    """Interpolates CIELAB anchors at equal distances along their path, so that equal steps look equal."""
    points = np.asarray(anchors, dtype=np.float64)
    # A dense smooth path first: corners at the anchors would show as bands.
    dense = _smooth_path(points, 64)
    along = np.concatenate(([0.0], np.cumsum(np.linalg.norm(np.diff(dense, axis=0), axis=1))))
    wanted = np.linspace(0.0, along[-1], count)
    even = np.stack([np.interp(wanted, along, dense[:, axis]) for axis in range(3)], axis=1)
    table: ByteArray = np.rint(lab2rgb(even[None])[0] * 255.0).astype(np.uint8)
    table.flags.writeable = False
    return table


def _smooth_path(points: npt.NDArray[np.float64], steps: int) -> npt.NDArray[np.float64]:
    """A Catmull-Rom curve through points [n, 3]: float64 [(n - 1) * steps + 1, 3]."""
    padded = np.concatenate((2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]))
    t = np.linspace(0.0, 1.0, steps, endpoint=False)[:, None]
    pieces = []
    for before, start, end, after in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        linear, square = end - before, 2 * before - 5 * start + 4 * end - after
        cube = 3 * start - before - 3 * end + after
        pieces.append(start + 0.5 * t * (linear + t * (square + t * cube)))
    return np.concatenate((*pieces, points[-1:]))
