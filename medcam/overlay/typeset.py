"""Text and small graphics set in a column, with the font that Pillow brings along."""

from __future__ import annotations

import math
import re
import unicodedata
from functools import cache, lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from medcam.core.arrays import ByteArray

Colour = tuple[int, int, int]

BACKGROUND: Colour = (13, 16, 19)
PANEL: Colour = (22, 26, 31)
LINE: Colour = (58, 65, 73)
MUTED: Colour = (154, 164, 174)
TEXT: Colour = (236, 239, 242)
AMBER: Colour = (255, 183, 41)
INK: Colour = (18, 20, 23)

_TALLEST = 4096
_SHORTEST = 256
_KEPT = 512
"""Words whose widths and pictures are kept: most of a panel's are the same from finding to finding."""
_FOREIGN = re.compile(r"[^ -~]+")


def filled(height: int, width: int, colour: Colour) -> ByteArray:
    """A picture of one colour: uint8 RGB [height, width, 3]."""
    picture = np.empty((height, width, 3), dtype=np.uint8)
    # Row by row: filling pixel by pixel is ten times slower.
    picture[:] = np.tile(np.array(colour, dtype=np.uint8), (width, 1))
    return picture


@cache
def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's built-in font at a size in pixels."""
    return ImageFont.load_default(size)


def plain(text: str) -> str:
    """Text in the characters that the built-in font has: accents dropped, the rest replaced by question marks."""
    for fancy, simple in (("−", "-"), ("–", "-"), ("≥", ">="), ("≤", "<="), ("×", "x"), ("’", "'")):
        text = text.replace(fancy, simple)
    letters = (letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))
    return _FOREIGN.sub("?", "".join(letters))


@lru_cache(maxsize=_KEPT)
def text_width(text: str, size: int) -> float:
    """Width of one line in pixels."""
    return float(font(size).getlength(text))


@lru_cache(maxsize=_KEPT)
def text_mask(text: str, size: int, anchor: str) -> tuple[Image.Image, int, int]:
    """One line as a mask to paint through, as `ImageDraw.text` would paint it at whole pixels.

    Args:
        text: The line.
        size: Of the font.
        anchor: Which point of the line is meant, in Pillow's two letters.

    Returns:
        Mode L, shared and not to be changed, and how far its top left corner lies to the right of the point and below.
    """
    left, top, right, bottom = font(size).getbbox(text, anchor=anchor)
    x, y = math.floor(left), math.floor(top)
    mask = Image.new("L", (max(1, math.ceil(right) - x), max(1, math.ceil(bottom) - y)))
    ImageDraw.Draw(mask).text((-x, -y), text, font=font(size), fill=255, anchor=anchor)
    return mask, x, y


def wrapped(text: str, size: int, width: float) -> list[str]:
    """Breaks a text into lines that fit a width; a word that is longer than a line is cut."""
    lines, line = [], ""
    for word in plain(text).split():
        longer = f"{line} {word}".strip()
        if text_width(longer, size) <= width:
            line = longer
            continue
        if line:
            lines.append(line)
        line = word
        while text_width(line, size) > width and len(line) > 1:
            fits = next(n for n in range(len(line) - 1, 0, -1) if n == 1 or text_width(line[:n], size) <= width)
            lines.append(line[:fits])
            line = line[fits:]
    return [*lines, line] if line else lines


class Column:
    """A column of text that grows downwards.

    Args:
        width: Width in pixels, margins included.
        margin: Free pixels at the left, right, top and bottom.
        background: Its colour.
    """

    def __init__(self, width: int, margin: int, background: Colour = PANEL) -> None:
        self._background = background
        self._image = Image.new("RGB", (width, _SHORTEST), background)
        self._draw = ImageDraw.Draw(self._image)
        self._margin = margin
        self._inner = width - 2 * margin
        self._y = margin

    @property
    def inner_width(self) -> int:
        """Pixels between the margins."""
        return self._inner

    def space(self, pixels: float) -> None:
        """Moves on."""
        self._y += round(pixels)

    def text(self, text: str, size: int, colour: Colour = TEXT) -> None:
        """One wrapped paragraph."""
        for line in wrapped(text, size, self._inner):
            self._line(self._margin, self._y, line, size, colour)
            self._y += round(1.32 * size)

    def row(self, label: str, value: str, size: int, colours: tuple[Colour, Colour] = (MUTED, TEXT)) -> None:
        """A label at the left and a value at the right of one line."""
        right = self._margin + self._inner
        self._line(self._margin, self._y, plain(label), size, colours[0])
        self._line(right, self._y, plain(value), size, colours[1], "ra")
        self._y += round(1.38 * size)

    def rule(self, thickness: int = 1, colour: Colour = LINE) -> None:
        """A line across."""
        self._need(self._y + thickness)
        self._draw.rectangle(
            (self._margin, self._y, self._margin + self._inner - 1, self._y + thickness - 1), fill=colour
        )
        self._y += thickness

    def badge(self, text: str, size: int, colour: Colour, filled: bool) -> None:
        """A word in a rounded frame: dark on a colour, or in the colour on the background."""
        width, height = round(text_width(text, size) + 1.4 * size), round(1.75 * size)
        self._need(self._y + height + 1)
        frame = (self._margin, self._y, self._margin + width, self._y + height)
        line = max(1, size // 9)
        self._draw.rounded_rectangle(
            frame, radius=height // 2, fill=colour if filled else None, outline=colour, width=line
        )
        centre = ((frame[0] + frame[2]) / 2, (frame[1] + frame[3]) / 2)
        self._draw.text(centre, text, font=font(size), fill=INK if filled else colour, anchor="mm")
        self._y += height + 1

    def bar(self, share: float, mark: float, height: int) -> None:
        """A share of 1 as a bar, with a mark across it where the threshold lies."""
        left, top, right = self._margin, self._y, self._margin + self._inner - 1
        rise = max(2, height // 2)
        self._need(self._y + height + 2 * rise + 2)
        self._draw.rectangle((left, top + rise, right, top + rise + height), fill=LINE)
        if share > 0.0:
            self._draw.rectangle((left, top + rise, left + share * (right - left), top + rise + height), fill=TEXT)
        x = round(left + mark * (right - left))
        self._draw.rectangle((x - 2, top - 1, x + 2, top + 2 * rise + height + 1), fill=PANEL)
        self._draw.rectangle((x - 1, top, x + 1, top + 2 * rise + height), fill=AMBER)
        self._y += height + 2 * rise + 1

    def picture(self, rgb: ByteArray) -> None:
        """A small picture at the left margin."""
        self._need(self._y + rgb.shape[0])
        self._image.paste(Image.fromarray(rgb), (self._margin, self._y))
        self._y += rgb.shape[0]

    def beside(self, rgb: ByteArray, text: str, size: int, colour: Colour = TEXT) -> None:
        """A small picture with a paragraph at its right."""
        self._need(self._y + rgb.shape[0])
        self._image.paste(Image.fromarray(rgb), (self._margin, self._y))
        left = self._margin + rgb.shape[1] + size
        lines = wrapped(text, size, self._inner - rgb.shape[1] - size)
        step = round(1.32 * size)
        top = self._y + max(0, (rgb.shape[0] - step * len(lines)) // 2)
        for place, line in enumerate(lines):
            self._line(left, top + place * step, line, size, colour)
        self._y += max(rgb.shape[0], step * len(lines))

    def labels(self, places: dict[float, str], size: int, colour: Colour = MUTED) -> None:
        """Short words under (or over) a scale, at shares 0..1 of the width, kept within the margins."""
        self._need(self._y + 2 * size)
        for share, word in places.items():
            half = text_width(word, size) / 2
            x = min(max(share * self._inner, half), self._inner - half) + self._margin
            self._draw.text((x, self._y), word, font=font(size), fill=colour, anchor="ma")
        self._y += round(1.3 * size)

    def pointer(self, share: float, size: int, colour: Colour = TEXT) -> None:
        """A triangle that points down to a place on the scale below."""
        x = self._margin + share * (self._inner - 1)
        half = size * 0.6
        self._need(self._y + size + 1)
        self._draw.polygon(((x - half, self._y), (x + half, self._y), (x, self._y + size)), fill=colour)
        self._y += size + 2

    def _line(self, x: int, y: int, text: str, size: int, colour: Colour, anchor: str = "la") -> None:
        mask, right, down = text_mask(text, size, anchor)
        self._need(y + down + mask.height)
        self._image.paste(colour, (x + right, y + down), mask)

    def _need(self, rows: int) -> None:
        """Makes room: most columns are short, and a sheet that is tall enough for all takes long to fill."""
        if self._image.height >= min(rows, _TALLEST):
            return
        height = min(max(rows, 2 * self._image.height), _TALLEST)
        taller = Image.new("RGB", (self._image.width, height), self._background)
        taller.paste(self._image)
        self._image, self._draw = taller, ImageDraw.Draw(taller)

    def finished(self) -> ByteArray:
        """The column as far as it was written, with its lower margin: uint8 RGB."""
        self._need(self._y + self._margin)
        return np.asarray(self._image.crop((0, 0, self._image.width, min(self._y + self._margin, _TALLEST))))
