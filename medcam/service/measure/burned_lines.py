"""Lines of text as consoles and scanners burn them into films, with the exact place of their ink."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from medcam.core.arrays import BoolArray, FloatArray

REFERENCE = 1024
"""Pixels per film side at which sizes of print are told."""
BRIGHT, DARK = (1.0, 0.0), (0.0, 1.0)
"""Values of ink and of its box: of the film's range from 0 to 1."""
INK = 0.5
"""Share of a pixel that ink covers from which on the pixel counts as ink."""
_OPENCV = {
    "simplex": cv2.FONT_HERSHEY_SIMPLEX,
    "plain": cv2.FONT_HERSHEY_PLAIN,
    "duplex": cv2.FONT_HERSHEY_DUPLEX,
    "complex": cv2.FONT_HERSHEY_COMPLEX,
    "triplex": cv2.FONT_HERSHEY_TRIPLEX,
    "complex small": cv2.FONT_HERSHEY_COMPLEX_SMALL,
}
OUTLINE, BITMAP = "outline", "bitmap"
FONTS = (OUTLINE, BITMAP, *_OPENCV)
"""Pillow's outline font, its font of dots, and those that OpenCV has under Hershey's names: strokes before version 5 of
OpenCV, outlines of several weights since."""
_DOTS = 7
"""Height of a capital letter in the font of dots."""
_LETTERS = "ABCDEFGHIJKLMNOPRSTUVWZ"
_TRIES = 200


@dataclass(frozen=True, slots=True)
class Print:
    """How a line looks.

    Args:
        text: What it says.
        font: One of `FONTS`.
        height: Of a capital letter, in pixels.
        bright: Bright ink, or dark.
        boxed: Whether a box of the opposite value lies behind it.
        stroke: Width of strokes in pixels, for OpenCV's fonts.
        soft: Whether edges are smoothed, for OpenCV's fonts; Pillow's outlines always are, its dots never.
    """

    text: str
    font: str = OUTLINE
    height: int = 14
    bright: bool = True
    boxed: bool = False
    stroke: int = 1
    soft: bool = False


@dataclass(frozen=True, eq=False)
class Line:
    """A line on a film.

    Args:
        style: How it looks.
        ink: bool [height, width] of the film: pixels that ink covers at least by half.
        place: Rows and columns of the film that the line and its surroundings take up.
        contrast: Difference of the ink to the median of what lay there, 0 to 1; 1 with a box.
    """

    style: Print
    ink: BoolArray = field(repr=False)
    place: tuple[slice, slice] = field(repr=False)
    contrast: float


def coverage(style: Print) -> FloatArray:
    """Share of each pixel that ink covers: float32 [height, width] just around the line, 0 to 1."""
    drawn = {OUTLINE: _outline, BITMAP: _dots}.get(style.font, _opencv)(style)
    rows, columns = np.flatnonzero(drawn.any(axis=1)), np.flatnonzero(drawn.any(axis=0))
    tight = drawn[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return np.asarray(tight / np.float32(255), dtype=np.float32)


def burn_line(film: FloatArray, style: Print, top: int, left: int) -> Line:
    """Burns a line in, in place.

    Args:
        film: float [height, width], 0 to 1, denser is brighter.
        style: How it looks.
        top: First row of the ink.
        left: First column of the ink; the line must fit with its margin.
    """
    covered = coverage(style)
    margin = _margin(style)
    inside = (slice(top, top + covered.shape[0]), slice(left, left + covered.shape[1]))
    place = (
        slice(max(0, top - margin), inside[0].stop + margin),
        slice(max(0, left - margin), inside[1].stop + margin),
    )
    value, opposite = BRIGHT if style.bright else DARK
    if style.boxed:
        film[place] = opposite
    contrast = abs(value - float(np.median(film[inside])))
    film[inside] = (1 - covered) * film[inside] + covered * value
    ink = np.zeros(film.shape, dtype=np.bool_)
    ink[inside] = covered >= INK
    return Line(style, ink, place, contrast)


def burn_at_random(film: FloatArray, styles: Sequence[Print], random: np.random.Generator) -> list[Line]:
    """Burns lines in, in place, anywhere on the film, none over another; a line without a free place is left out."""
    taken = np.zeros(film.shape, dtype=np.bool_)
    lines = []
    for style in styles:
        height, width = (side + 2 * _margin(style) for side in coverage(style).shape)
        if height >= film.shape[0] or width >= film.shape[1]:
            continue
        for _ in range(_TRIES):
            top, left = (int(random.integers(0, film.shape[axis] - side)) for axis, side in enumerate((height, width)))
            if not taken[top : top + height, left : left + width].any():
                line = burn_line(film, style, top + _margin(style), left + _margin(style))
                taken[line.place] = True
                lines.append(line)
                break
    return lines


def random_print(random: np.random.Generator, side: int = REFERENCE) -> Print:
    """A name, date, number or side marker in a random font, size, polarity, with or without a box.

    Args:
        random: Where chance comes from.
        side: Of the film in pixels; print grows with it.
    """
    text = _random_text(random)
    marker = len(text) == 1
    low, high = (24, 50) if marker else (9, 32)
    height = round(float(np.exp(random.uniform(np.log(low), np.log(high)))) * max(1.0, side / REFERENCE))
    return Print(
        text=text,
        font=str(random.choice(FONTS)),
        height=height,
        bright=bool(random.random() < 0.5),
        boxed=bool(random.random() < 0.5),
        stroke=max(1, round(height / float(random.choice((6, 9, 14))))),
        soft=bool(random.random() < 0.5),
    )


def _random_text(random: np.random.Generator) -> str:
    def letters(count: int) -> str:
        return "".join(random.choice(list(_LETTERS), count))

    kind = random.choice(("name", "name", "date", "number", "time", "marker"))
    if kind == "name":
        family, given = letters(int(random.integers(4, 10))), letters(int(random.integers(3, 8)))
        separator = str(random.choice(("^", ", ", " ")))
        return family + separator + given if random.random() < 0.5 else (family + separator + given).title()
    if kind == "date":
        day, month, year = (int(random.integers(low, high)) for low, high in ((1, 29), (1, 13), (1930, 2025)))
        return str(random.choice((f"{day:02d}.{month:02d}.{year}", f"{year}-{month:02d}-{day:02d}")))
    if kind == "number":
        return f"{letters(2)} {int(random.integers(10_000, 10_000_000))}"
    if kind == "time":
        return f"{int(random.integers(0, 24)):02d}:{int(random.integers(0, 60)):02d}"
    return str(random.choice(("R", "L")))


def _margin(style: Print) -> int:
    return max(3, style.height // 3)


def _outline(style: Print) -> npt.NDArray[np.uint8]:
    size = style.height / 0.72  # capitals of the font that Pillow brings are that share of its size high
    font = ImageFont.load_default(size)
    left, top, right, bottom = (round(edge) for edge in font.getbbox(style.text))
    picture = Image.new("L", (right - left + 4, bottom - top + 4))
    ImageDraw.Draw(picture).text((2 - left, 2 - top), style.text, fill=255, font=font)
    return np.asarray(picture)


def _dots(style: Print) -> npt.NDArray[np.uint8]:
    font = ImageFont.load_default_imagefont()
    _, _, right, bottom = (round(edge) for edge in font.getbbox(style.text))
    picture = Image.new("L", (right, bottom))
    ImageDraw.Draw(picture).text((0, 0), style.text, fill=255, font=font)
    times = max(1, round(style.height / _DOTS))
    return np.kron(np.asarray(picture), np.ones((times, times), np.uint8))


def _opencv(style: Print) -> npt.NDArray[np.uint8]:
    font = _OPENCV[style.font]
    scale = cv2.getFontScaleFromHeight(font, style.height, style.stroke)
    (width, height), below = cv2.getTextSize(style.text, font, scale, style.stroke)
    pad = 4 + style.stroke
    picture = np.zeros((height + below + 2 * pad, width + 2 * pad), np.uint8)
    kind = cv2.LINE_AA if style.soft else cv2.LINE_8
    cv2.putText(picture, style.text, (pad, pad + height), font, scale, 255, style.stroke, kind)
    return picture
