"""Outlines, boxes and peaks drawn on a film."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from medcam.core.arrays import ByteArray
from medcam.core.finding import Region
from medcam.core.geometry import Box
from medcam.overlay.film import Film

CONTOUR_COLOUR = (84, 224, 240)
BOX_COLOUR = (245, 247, 250)
VIEW_COLOUR = (150, 160, 170)
QUIET_COLOUR = (150, 190, 198)
_HALO_STRENGTH = 0.6
_SHIFT = 4
"""Fractional bits of drawn coordinates, so that lines are placed between pixels too."""

_Polygon = tuple[npt.NDArray[np.float64], int, tuple[int, int, int]]


def draw_regions(picture: ByteArray, film: Film, regions: Sequence[Region], line: int, *, quiet: bool = False) -> None:
    """Draws outline, box and peak of each region into a picture.

    Every line has a soft dark halo, so that it shows on white bone and black lung alike.

    Args:
        picture: uint8 RGB [height, width, 3] of the film's drawn size; changed in place.
        film: The film that it shows.
        regions: In source pixels.
        line: Thickness of the outline in pixels.
        quiet: Thin grey outlines without boxes, for findings that are not present.
    """
    thin = max(1, line - 1)
    boxes = [] if quiet else [(_corners(film, region.box), thin, BOX_COLOUR) for region in regions]
    outlines = [
        (film.points([(point.x, point.y) for point in region.contour]), thin, QUIET_COLOUR)
        if quiet
        else (film.points([(point.x, point.y) for point in region.contour]), line, CONTOUR_COLOUR)
        for region in regions
        if region.contour
    ]
    peaks = film.points([(region.peak.x, region.peak.y) for region in regions])
    crosses = [
        (np.stack((peak - arm, peak + arm)), thin, BOX_COLOUR)
        for peak in peaks
        for arm in (np.array([4.0 * line, 0.0]), np.array([0.0, 4.0 * line]))
    ]
    _polygons(picture, [*boxes, *outlines, *crosses])


def draw_view(picture: ByteArray, film: Film, view: Box, line: int) -> None:
    """Draws the border of the part of the film that the model saw."""
    _polygons(picture, [(_corners(film, view), max(1, line - 1), VIEW_COLOUR)])


def _corners(film: Film, box: Box) -> npt.NDArray[np.float64]:
    left, top, right, bottom = box.corners
    corners = film.points([(left, top), (right, top), (right, bottom), (left, bottom)])
    # A line on the very edge would lie half outside the picture.
    return np.clip(corners, 1.0, np.maximum((film.width - 1.0, film.height - 1.0), 1.0))


def _polygons(picture: ByteArray, polygons: Sequence[_Polygon]) -> None:
    """Draws closed polygons of drawn points [n, 2], each with its thickness and colour, over the halo of all."""
    # The centre of drawn pixel 0 is at 0.5 in continuous coordinates and at 0 for OpenCV.
    fixed = [np.rint((points - 0.5) * (1 << _SHIFT)).astype(np.int32)[:, None, :] for points, _, _ in polygons]
    halo = np.zeros(picture.shape[:2], dtype=np.uint8)
    for points, (_, line, _) in zip(fixed, polygons, strict=True):
        cv2.polylines(halo, [points], True, 255, line + 2, cv2.LINE_AA, _SHIFT)
    # By number, not by mask: lines cover one pixel in a hundred, and a mask is gone through for each of the colours.
    rows, columns = np.divmod(np.flatnonzero(halo != 0), picture.shape[1])
    kept = 1.0 - halo[rows, columns].astype(np.float32) * (_HALO_STRENGTH / 255.0)
    picture[rows, columns] = np.rint(picture[rows, columns] * kept[:, None]).astype(np.uint8)
    for points, (_, line, colour) in zip(fixed, polygons, strict=True):
        cv2.polylines(picture, [points], True, colour, line, cv2.LINE_AA, _SHIFT)
