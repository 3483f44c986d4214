"""Where findings are on films, whatever file said so."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from medcam.core.arrays import BoolArray
from medcam.core.geometry import Box
from medcam.evaluate.formats.errors import PlacesError
from medcam.evaluate.formats.runs import Runs

Contour: TypeAlias = npt.NDArray[np.float64]
"""Points (x, y) [n, 2] of a closed outline, in pixels."""


@dataclass(frozen=True, eq=False)
class Place:
    """Where one finding is on one film: the union of all its parts. A place without parts says that it is absent.

    Args:
        boxes: In pixels of the film.
        runs: Masks of the film's size.
        contours: Closed outlines in pixels of the film.
        picture: Reads a mask that is kept elsewhere, bool [height, width]; None without one.
        score: How sure the source is, where it says so.
    """

    boxes: tuple[Box, ...] = ()
    runs: tuple[Runs, ...] = ()
    contours: tuple[Contour, ...] = field(default=(), repr=False)
    picture: Callable[[], BoolArray] | None = None
    score: float | None = None

    @property
    def said(self) -> bool:
        """Whether there is any part."""
        return bool(self.boxes or self.runs or self.contours or self.picture)

    def joined(self, other: Place) -> Place:
        """Both places as one."""
        if self.picture and other.picture:
            first, second = self.picture, other.picture
            picture: Callable[[], BoolArray] | None = lambda: _union([first(), second()])  # noqa: E731
        else:
            picture = self.picture or other.picture
        scores = [score for score in (self.score, other.score) if score is not None]
        return Place(
            self.boxes + other.boxes,
            self.runs + other.runs,
            self.contours + other.contours,
            picture,
            max(scores) if scores else None,
        )

    def mask(self, height: int, width: int) -> BoolArray:
        """The union of all parts on a film of this size: bool [height, width].

        A pixel belongs to a box or an outline when its centre does.

        Raises:
            PlacesError: A mask of the place has another size.
        """
        found = np.zeros((height, width), dtype=np.bool_)
        for box in self.boxes:
            found[box_pixels(box, height, width)] = True
        for one in (*(runs.mask() for runs in self.runs), *([self.picture()] if self.picture else [])):
            if one.shape != found.shape:
                raise PlacesError(f"a mask of {one.shape[0]} x {one.shape[1]} on a film of {height} x {width}")
            found |= one
        for contour in self.contours:
            found |= filled(contour, height, width)
        return found

    def lesions(self, mask: BoolArray) -> Lesions:
        """The single places, for counting: each box where there are only boxes, else the 8-connected parts.

        Args:
            mask: What `mask` gave.
        """
        if self.boxes and not (self.runs or self.contours or self.picture):
            windows = [box_pixels(box, *mask.shape) for box in self.boxes]
            return Lesions(tuple(windows), None)
        labels, count = ndimage.label(mask, structure=np.ones((3, 3)))
        return Lesions((), np.asarray(labels, dtype=np.int32), int(count))


@dataclass(frozen=True, eq=False)
class Lesions:
    """Places that are counted one by one: windows of boxes, or numbered parts [height, width]."""

    windows: tuple[tuple[slice, slice], ...]
    labels: npt.NDArray[np.int32] | None = field(repr=False)
    parts: int = 0

    @property
    def count(self) -> int:
        """How many."""
        return len(self.windows) if self.labels is None else self.parts

    def at(self, row: int, column: int) -> tuple[int, ...]:
        """Numbers of those that hold a pixel."""
        if self.labels is not None:
            label = int(self.labels[row, column])
            return (label - 1,) if label else ()
        return tuple(
            number
            for number, (rows, columns) in enumerate(self.windows)
            if rows.start <= row < rows.stop and columns.start <= column < columns.stop
        )


@dataclass(frozen=True, eq=False)
class PlacedFilm:
    """A film and where its findings are.

    Args:
        image: What the file calls the film.
        places: By finding. A finding that was looked for and not found has a place without parts; one that nobody
            judged is left out.
        height: Rows of the film, where the file says so.
        width: Columns, likewise.
        patient: Films of one patient share it; empty where the file does not say.
    """

    image: str
    places: Mapping[str, Place]
    height: int | None = None
    width: int | None = None
    patient: str = ""


@dataclass(eq=False)
class Collected:
    """Films while their file is read, row by row."""

    films: dict[str, PlacedFilm] = field(default_factory=dict)

    def add(
        self, image: str, finding: str, place: Place, size: tuple[int, int] | None = None, patient: str = ""
    ) -> None:
        """Adds a place to a film.

        Args:
            image: The film.
            finding: The finding.
            place: Joined with what is there already.
            size: Height and width.
            patient: Of the film.

        Raises:
            PlacesError: The film had another size before.
        """
        known = self.films.get(image, PlacedFilm(image, {}))
        before = None if known.height is None or known.width is None else (known.height, known.width)
        if before is not None and size is not None and before != size:
            raise PlacesError(f"{image} has two sizes: {before} and {size}")
        height, width = size or before or (None, None)
        places = {**known.places, finding: known.places.get(finding, Place()).joined(place)}
        self.films[image] = PlacedFilm(image, places, height, width, patient or known.patient)


def box_pixels(box: Box, height: int, width: int) -> tuple[slice, slice]:
    """Rows and columns of the pixels whose centres lie in a box, cut to the film."""
    left, top, right, bottom = (math.ceil(edge - 0.5) for edge in box.corners)
    rows = slice(min(max(top, 0), height), min(max(bottom, 0), height))
    return rows, slice(min(max(left, 0), width), min(max(right, 0), width))


def filled(contour: Contour, height: int, width: int) -> BoolArray:
    """The pixels whose centres lie inside a closed outline, by the even-odd rule: bool [height, width]."""
    points = np.asarray(contour, dtype=np.float64)
    nexts = np.roll(points, -1, axis=0)
    found = np.zeros((height, width), dtype=np.bool_)
    first = max(0, math.floor(points[:, 1].min() - 0.5))
    last = min(height, math.ceil(points[:, 1].max() + 0.5))
    for row in range(first, last):
        y = row + 0.5
        crosses = (points[:, 1] <= y) != (nexts[:, 1] <= y)
        start, end = points[crosses], nexts[crosses]
        xs = np.sort(start[:, 0] + (y - start[:, 1]) / (end[:, 1] - start[:, 1]) * (end[:, 0] - start[:, 0]))
        for left, right in zip(xs[::2], xs[1::2], strict=True):
            found[row, max(0, math.ceil(left - 0.5)) : max(0, math.ceil(right - 0.5))] = True
    return found


def _union(masks: Sequence[BoolArray]) -> BoolArray:
    if len({mask.shape for mask in masks}) > 1:
        raise PlacesError("masks of one finding on one film differ in size")
    return np.asarray(np.any(masks, axis=0), dtype=np.bool_)
