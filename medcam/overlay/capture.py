"""One picture of a film and its findings that fits a given size and can still be read: for a Secondary Capture.

Words stand above the films and at the foot, not beside them, since a viewer shows the whole at the size of a window.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from medcam.core.arrays import ByteArray
from medcam.core.card import FindingCard
from medcam.core.errors import InvalidValueError
from medcam.core.explanation import RESEARCH_USE, ModelReference, OutOfDistribution
from medcam.core.finding import Finding
from medcam.overlay.film import Film
from medcam.overlay.overlay import lay_map
from medcam.overlay.panel import draw_warning
from medcam.overlay.sheet import side_gutter
from medcam.overlay.typeset import AMBER, BACKGROUND, MUTED, TEXT, Column, filled

SMALLEST_CAPTURE = 512
_GAP = 8
_NARROWEST = 230
"""Pixels of a capture of 1024 that a line of words needs."""
_FILM_UNIT = 0.6
"""Scales side letters and lines on films of some 500 pixels."""
_HEAD, _SMALL = 19, 15
"""Sizes of words in pixels of a capture of 1024."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """Films in columns and rows, each of at most so many pixels."""

    columns: int
    height: int
    width: int


def draw_capture(
    film: Film,
    findings: Sequence[tuple[Finding, FindingCard | None]],
    model: ModelReference,
    ood: OutOfDistribution,
    *,
    long_side: int = 1024,
) -> ByteArray:
    """Draws the plain film and one film for each finding, with its map and a line of words above it.

    Args:
        film: As large as may be needed; it is drawn smaller to fit.
        findings: With their cards; at least one.
        model: Named at the foot, with the digest of its weights.
        ood: A flagged input gets a warning strip at the top.
        long_side: Most pixels along the longer side of the picture.

    Returns:
        uint8 RGB [height, width, 3], neither side longer than `long_side`.

    Raises:
        InvalidValueError: There is no finding, the size is below 512 pixels, or film and findings do not belong
            together.
    """
    if not findings:
        raise InvalidValueError("a capture needs a finding to show")
    if long_side < SMALLEST_CAPTURE:
        raise InvalidValueError(f"a capture needs a long side of at least {SMALLEST_CAPTURE} pixels, not {long_side}")
    unit = long_side / 1024
    foot = _foot(model, long_side, unit)
    strips = [draw_warning(ood, long_side, unit)] if ood.flagged else []
    room = long_side - foot.shape[0] - sum(strip.shape[0] for strip in strips)
    layout = _layout(film, 1 + len(findings), room, long_side, unit)
    small = film.reduced(layout.height, layout.width)
    width = min(layout.width, max(small.width, round(_NARROWEST * unit)))
    cells = [_cell(np.repeat(small.grey[:, :, None], 3, axis=2), small, _head("Film", "", width, unit), unit)]
    for finding, card in findings:
        picture, _ = lay_map(small, finding, card, model, _FILM_UNIT * unit)
        cells.append(_cell(picture, small, _head(*_words(finding), width, unit, finding), unit))
    grid = _grid(cells, layout.columns)
    return _fitted(_stack([*strips, grid, foot]), long_side)


def _words(finding: Finding) -> tuple[str, str]:
    state = {True: "PRESENT", False: "absent", None: "WITHHELD"}[finding.present]
    return finding.name, f"{finding.probability:.3f} {state}, threshold {finding.threshold:.3f}"


def _head(name: str, words: str, width: int, unit: float, finding: Finding | None = None) -> ByteArray:
    column = Column(width, round(4 * unit), BACKGROUND)
    column.text(name, round(_HEAD * unit))
    colour = (
        AMBER if finding is not None and finding.present is None else TEXT if finding and finding.present else MUTED
    )
    column.text(words or " ", round(_SMALL * unit), colour)
    return column.finished()


def _foot(model: ModelReference, width: int, unit: float) -> ByteArray:
    column, size = Column(width, round(8 * unit), BACKGROUND), round(_SMALL * unit)
    digest = f", weights {model.weights_sha256[:12]}" if model.weights_sha256 else ""
    column.text(f"Model {model.name} {model.version}{digest}. A map highlights; it never proves.", size, MUTED)
    column.text(RESEARCH_USE, round(_HEAD * unit))
    return column.finished()


def _layout(film: Film, count: int, room: int, width: int, unit: float) -> _Layout:
    """The number of columns that lets the films be largest."""
    words = round((_HEAD + 2 * _SMALL) * 1.32 * unit) + 2 * round(4 * unit) + round(54 * _FILM_UNIT * unit)
    best, largest = _Layout(1, 1, 1), 0.0
    for columns in range(1, count + 1):
        rows = -(-count // columns)
        cell_width = (width - _GAP * (columns + 1)) // columns - 2 * round(12 * _FILM_UNIT * unit)
        cell_height = (room - _GAP * (rows + 1)) // rows - words
        scale = min(cell_width / film.width, cell_height / film.height)
        if scale > largest:
            best, largest = _Layout(columns, max(1, cell_height), max(1, cell_width)), scale
    return best


def _cell(picture: ByteArray, film: Film, head: ByteArray, unit: float) -> ByteArray:
    return _stack([head, side_gutter(picture, film.letters, _FILM_UNIT * unit)])


def _grid(cells: Sequence[ByteArray], columns: int) -> ByteArray:
    """Cells row by row; those of a row stand on one line."""
    height, width = (max(cell.shape[axis] for cell in cells) for axis in (0, 1))
    rows = -(-len(cells) // columns)
    sheet = filled(rows * (height + _GAP) + _GAP, columns * (width + _GAP) + _GAP, BACKGROUND)
    for place, cell in enumerate(cells):
        row, column = divmod(place, columns)
        top, left = _GAP + row * (height + _GAP) + height - cell.shape[0], _GAP + column * (width + _GAP)
        sheet[top : top + cell.shape[0], left : left + cell.shape[1]] = cell
    return sheet


def _fitted(picture: ByteArray, long_side: int) -> ByteArray:
    """A picture whose words took more lines than was reckoned is made a little smaller."""
    scale = long_side / max(picture.shape[:2])
    if scale >= 1.0:
        return picture
    size = (max(1, int(picture.shape[1] * scale)), max(1, int(picture.shape[0] * scale)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _stack(pictures: Sequence[ByteArray]) -> ByteArray:
    """Pictures under each other, each in the middle."""
    width = max(picture.shape[1] for picture in pictures)
    sheet = filled(sum(picture.shape[0] for picture in pictures), width, BACKGROUND)
    top = 0
    for picture in pictures:
        left = (width - picture.shape[1]) // 2
        sheet[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
        top += picture.shape[0]
    return sheet
