"""Putting pictures together: the gutter with the patient's sides, stacks, contact sheets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from medcam.core.arrays import ByteArray
from medcam.core.errors import InvalidValueError
from medcam.overlay.typeset import BACKGROUND, MUTED, TEXT, filled, font, text_width

UNKNOWN_SIDES = "orientation not stated"


def side_gutter(picture: ByteArray, letters: tuple[str, str] | None, unit: float) -> ByteArray:
    """A film with a gutter above it that names the patient's sides.

    Args:
        picture: uint8 RGB [height, width, 3].
        letters: The patient's side at the left and at the right edge; None when unknown, and the gutter says so.
        unit: Scales all sizes.

    Returns:
        uint8 RGB [height + gutters, at least width, 3]; the film itself is unchanged and centred.
    """
    size, small, height = round(28 * unit), round(15 * unit), round(42 * unit)
    pad = round(12 * unit)
    rows, columns = picture.shape[:2]
    needed = round(text_width(UNKNOWN_SIDES, small)) if letters is None else 2 * size
    width = max(columns, needed) + 2 * pad
    gutter = Image.new("RGB", (width, height), BACKGROUND)
    draw = ImageDraw.Draw(gutter)
    left = (width - columns) // 2
    if letters is None:
        draw.text((width / 2, height / 2), UNKNOWN_SIDES, font=font(small), fill=MUTED, anchor="mm")
    else:
        draw.text((pad + size * 0.2, height / 2), letters[0], font=font(size), fill=TEXT, anchor="lm")
        draw.text((width - pad - size * 0.2, height / 2), letters[1], font=font(size), fill=TEXT, anchor="rm")
    canvas = filled(height + rows + pad, width, BACKGROUND)
    canvas[:height] = np.asarray(gutter)
    canvas[height : height + rows, left : left + columns] = picture
    return canvas


def stacked(upper: ByteArray, lower: ByteArray) -> ByteArray:
    """One picture of equal width over another: uint8 RGB."""
    return np.concatenate((upper, lower), axis=0)


def contact_sheet(pictures: Sequence[ByteArray], columns: int = 4, *, gap: int = 12) -> ByteArray:
    """Several pictures on one sheet, row by row, each centred in a cell of the largest size.

    Args:
        pictures: uint8 RGB [height, width, 3] or grey [height, width] each; sizes may differ.
        columns: Pictures in a row.
        gap: Pixels between and around them.

    Returns:
        uint8 RGB [height, width, 3].

    Raises:
        InvalidValueError: There is no picture or no column, or the gap is negative.
    """
    if not pictures or columns < 1 or gap < 0:
        raise InvalidValueError("a contact sheet needs pictures, columns and a gap of at least 0")
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    height = max(picture.shape[0] for picture in pictures)
    width = max(picture.shape[1] for picture in pictures)
    sheet = filled(rows * (height + gap) + gap, columns * (width + gap) + gap, BACKGROUND)
    for place, picture in enumerate(pictures):
        row, column = divmod(place, columns)
        top = gap + row * (height + gap) + (height - picture.shape[0]) // 2
        left = gap + column * (width + gap) + (width - picture.shape[1]) // 2
        colour = picture if picture.ndim == 3 else picture[:, :, None]
        sheet[top : top + picture.shape[0], left : left + picture.shape[1]] = colour
    return sheet
