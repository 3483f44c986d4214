"""Rows of patches of films with words beside them: what excites the units of a finding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from PIL import Image, ImageDraw

from medcam.core.arrays import ByteArray
from medcam.core.errors import InvalidValueError
from medcam.overlay.typeset import BACKGROUND, MUTED, TEXT, font, plain, wrapped

SIDE, GAP, WORDS, TITLE = 120, 6, 190, 44


@dataclass(frozen=True, eq=False)
class PatchRow:
    """One row.

    Args:
        title: In bold words.
        words: Below it.
        patches: uint8 [h, w] each, of any size.
    """

    title: str
    words: str
    patches: tuple[ByteArray, ...] = field(repr=False)


def patch_sheet(title: str, rows: Sequence[PatchRow]) -> ByteArray:
    """Sets rows of patches below each other.

    Args:
        title: Of the sheet.
        rows: At least one; patches are resized to squares.

    Returns:
        uint8 RGB [height, width, 3].

    Raises:
        InvalidValueError: There is no row.
    """
    if not rows:
        raise InvalidValueError("a sheet needs a row")
    most = max(1, *(len(row.patches) for row in rows))
    width = GAP + WORDS + most * (SIDE + GAP)
    sheet = Image.new("RGB", (width, TITLE + len(rows) * (SIDE + GAP)), BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    draw.text((GAP, TITLE / 2), plain(title), font=font(18), fill=TEXT, anchor="lm")
    for number, row in enumerate(rows):
        top = TITLE + number * (SIDE + GAP)
        draw.text((GAP, top), plain(row.title), font=font(15), fill=TEXT)
        for line, text in enumerate(wrapped(row.words, 13, WORDS - 2 * GAP)):
            draw.text((GAP, top + 24 + 17 * line), text, font=font(13), fill=MUTED)
        for place, patch in enumerate(row.patches):
            small = cv2.resize(np.ascontiguousarray(patch), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
            sheet.paste(Image.fromarray(small).convert("RGB"), (GAP + WORDS + place * (SIDE + GAP), top))
    return np.asarray(sheet, dtype=np.uint8)
