"""Finds lines of text by the density of sharp edges, whatever the typeface and however its strokes were smoothed.

A letter changes from black to white within a pixel or two, many times along a line. An X-ray image does not: the
detector blurs every border of the body, so that steps over two pixels stay within what noise and edge enhancement make.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from medcam.core.arrays import BoolArray

_STEP = 0.16
"""Of the film's range, over two pixels: what a letter's edge has at least."""
_ABOVE_NOISE = 1.3
"""The same by the 99.5th percentile of steps on the film, so that noise and edge enhancement do not count."""
_REACHES = (5, 10)
"""Pixels, at 1024 per film side, over which edges join into a line: small print, and larger."""
_REFERENCE = 1024.0
_TALLEST, _WIDEST = 0.1, 0.98
"""Share of the film that a line may span."""
_SMALLEST = 7
"""Pixels: height of the smallest print that can be read."""
_DENSEST, _FEWEST = 0.18, 24
"""Edge pixels by the box that they fill, and at least how many."""


def find_text_lines(scaled: npt.NDArray[np.float32]) -> BoolArray:
    """Boxes around lines of text.

    Args:
        scaled: float32 [height, width], the film's range from 0 to 1.

    Returns:
        bool [height, width].
    """
    kernel = np.ones((3, 3), np.uint8)
    steps = cv2.morphologyEx(scaled, cv2.MORPH_GRADIENT, kernel, borderType=cv2.BORDER_REPLICATE)
    edges = (steps > max(_STEP, _ABOVE_NOISE * float(np.percentile(steps, 99.5)))).astype(np.uint8)
    scale = max(1.0, min(scaled.shape) / _REFERENCE)
    found = np.zeros(scaled.shape, dtype=np.bool_)
    for reach in _REACHES:
        _mark_lines(found, edges, 2 * round(reach * scale) + 1)
    return found


def _mark_lines(found: BoolArray, edges: npt.NDArray[np.uint8], reach: int) -> None:
    joined = cv2.morphologyEx(edges, cv2.MORPH_CLOSE, np.ones((reach, reach), np.uint8), borderValue=0)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    for number in range(1, count):
        left, top, width, height = (int(value) for value in stats[number, :4])
        box = (slice(top, top + height), slice(left, left + width))
        if _is_line(int((edges[box] * (labels[box] == number)).sum()), width, height, edges.shape):
            margin = max(3, round(0.3 * min(width, height)))
            found[max(0, top - margin) : top + height + margin, max(0, left - margin) : left + width + margin] = True


def _is_line(edges: int, width: int, height: int, film: tuple[int, ...]) -> bool:
    """Whether edges in a box may be letters; a line may run across the film or, turned, down it."""
    thick, long = sorted((width, height))
    return (
        thick >= _SMALLEST
        and thick <= _TALLEST * min(film)
        and long <= _WIDEST * max(film)
        and edges >= _FEWEST
        and edges >= _DENSEST * width * height
    )
