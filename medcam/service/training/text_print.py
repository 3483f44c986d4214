"""What a detector of print is shown: print of many kinds, and clutter that is none, both drawn into films in place.

Two of the fonts are left out, so that the detector can be tried on print whose letters it has never seen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np

from medcam.core.arrays import FloatArray
from medcam.phantom.glyphs import text_mask
from medcam.service.measure.burned_lines import FONTS, Print, burn_at_random, coverage, random_print

UNSEEN_FONTS = ("duplex", "complex small")
"""Fonts that no picture to learn from has."""
_SEEN = tuple(font for font in FONTS if font not in UNSEEN_FONTS)
_MOST = 3
"""Lines on a picture."""
_VISIBLE = 0.06
"""Contrast of print, of the film's range, below which nobody could say that it is there."""
_WORDS = ("PORTABLE", "AP ERECT", "SUPINE", "ERECT", "PORT", "CHEST", "AP", "PA", "L", "R", "R", "L")
_Draw = Callable[[FloatArray, np.random.Generator], bool]


def print_anything(film: FloatArray, random: np.random.Generator) -> bool:
    """Prints one to three lines or markers in place; whether anything visible came of it.

    Args:
        film: float32 [height, width], 0 to 1; may be a view of a larger film.
        random: Where chance comes from.
    """
    kinds: tuple[_Draw, ...] = (_lines, _lines, _lines, _stamp, _stamp, _block)
    visible = False
    for _ in range(5):
        visible |= kinds[random.integers(len(kinds))](film, random)
        if visible:
            break
    return visible


def add_clutter(film: FloatArray, random: np.random.Generator) -> None:
    """Draws what films hold beside the patient and what is no print, in place."""
    if random.random() < 0.35:
        _shutters(film, random)
    for chance, draw in ((0.35, _cable), (0.3, _clips), (0.2, _loops), (0.15, _discs), (0.15, _plates)):
        if random.random() < chance:
            draw(film, random)


def compressed(film: FloatArray, random: np.random.Generator) -> FloatArray:
    """The film as a lossy codec (JPEG) or a soft detector leaves it, on half of the films."""
    draw = random.random()
    if draw < 0.2:
        film = np.asarray(cv2.GaussianBlur(film, (0, 0), random.uniform(0.4, 0.9)), dtype=np.float32)
    if draw < 0.5:
        grey = np.clip(film * 255, 0, 255).astype(np.uint8)
        _, data = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(60, 96))])
        film = np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), dtype=np.float32) / np.float32(255)
    return film


def _style(random: np.random.Generator) -> Print:
    return replace(random_print(random), font=str(random.choice(_SEEN)))


def _lines(film: FloatArray, random: np.random.Generator) -> bool:
    styles = [_style(random) for _ in range(random.integers(1, _MOST + 1))]
    return any(line.contrast >= _VISIBLE for line in burn_at_random(film, styles, random))


def _stamp(film: FloatArray, random: np.random.Generator) -> bool:
    """A lead letter, a word or an arrow: of dots or a font, perhaps framed, on a plate, turned, blurred, mirrored."""
    word = str(random.choice(_WORDS))
    height = int(random.integers(16, 56)) if len(word) < 3 else int(random.integers(12, 36))
    cover = np.ascontiguousarray(np.pad(_letters(word, height, random), height // 2))
    value, bright = np.ones_like(cover), random.random() < 0.85
    dress = random.random()
    if dress < 0.2:
        _frame(cover, random)
    elif dress < 0.55:
        cover, value = _on_plate(cover, random)
    if random.random() < 0.1:
        cover, value = cover[:, ::-1], value[:, ::-1]
    if random.random() < 0.4:
        degrees = random.uniform(-180, 180) if random.random() < 0.4 else random.uniform(-15, 15)
        cover, value = _turned(cover, degrees), _turned(value, degrees)
    if random.random() < 0.5:
        soft = random.uniform(0.5, max(0.6, height / 20))
        cover, value = (np.asarray(cv2.GaussianBlur(each, (0, 0), soft), dtype=np.float32) for each in (cover, value))
    return _lay(film, cover * np.float32(random.uniform(0.5, 1.0)), value if bright else 1 - value, random)


def _letters(word: str, height: int, random: np.random.Generator) -> FloatArray:
    draw = random.random()
    if draw < 0.12:
        arrow = np.zeros((2 * height, height), dtype=np.float32)
        cv2.arrowedLine(arrow, (height // 2, 2 * height - 3), (height // 2, 3), 1.0, max(2, height // 8), tipLength=0.4)
        return arrow
    if draw < 0.4:
        return np.asarray(text_mask(word, height), dtype=np.float32)
    return coverage(replace(_style(random), text=word, height=height, stroke=max(1, height // 7)))


def _on_plate(letters: FloatArray, random: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Letters on a disc or a plate of the other value: what is covered, and with which value."""
    height, width = letters.shape
    plate = np.zeros_like(letters)
    if random.random() < 0.5:
        cv2.ellipse(plate, (width // 2, height // 2), (width // 2 - 1, height // 2 - 1), 0, 0, 360, 1.0, -1)
    else:
        cv2.rectangle(plate, (2, 2), (width - 3, height - 3), 1.0, -1)
    cover = np.maximum(plate, letters)
    if random.random() < 0.5:
        return cover, letters
    return cover * (1 - letters), np.ones_like(letters)


def _block(film: FloatArray, random: np.random.Generator) -> bool:
    """Lines of one style below each other, as consoles print them."""
    first = _style(random)
    first = replace(first, height=min(first.height, 20), stroke=min(first.stroke, 2))
    rows = [coverage(replace(first, text=_style(random).text)) for _ in range(random.integers(2, 5))]
    gap, width = max(2, first.height // 2), max(row.shape[1] for row in rows)
    padded = [np.pad(row, ((0, gap), (0, width - row.shape[1]))) for row in rows]
    cover = np.concatenate(padded)
    return _lay(film, cover, np.full_like(cover, float(first.bright)), random)


def _lay(film: FloatArray, cover: FloatArray, value: FloatArray, random: np.random.Generator) -> bool:
    """Lays values over a film anywhere, each pixel covered by a share of 0 to 1; whether it can be seen there."""
    height, width = (min(cover.shape[axis], film.shape[axis]) for axis in (0, 1))
    top, left = (int(random.integers(0, film.shape[axis] - side + 1)) for axis, side in enumerate((height, width)))
    place, cover, value = film[top : top + height, left : left + width], cover[:height, :width], value[:height, :width]
    before = place.copy()
    place += cover * (value - place)
    changed = np.abs(place - before)[cover > 0.3]
    return bool(changed.size and np.percentile(changed, 60) >= _VISIBLE)


def _frame(ink: FloatArray, random: np.random.Generator) -> None:
    height, width = ink.shape
    if random.random() < 0.5:
        cv2.ellipse(ink, (width // 2, height // 2), (width // 2 - 2, height // 2 - 2), 0, 0, 360, 1.0, 2)
    else:
        cv2.rectangle(ink, (2, 2), (width - 3, height - 3), 1.0, 2)


def _turned(ink: FloatArray, degrees: float) -> FloatArray:
    height, width = ink.shape
    side = int(np.hypot(height, width)) + 2
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    turn[:, 2] += (side / 2 - width / 2, side / 2 - height / 2)
    return np.asarray(cv2.warpAffine(ink, turn, (side, side), flags=cv2.INTER_LINEAR), dtype=np.float32)


def _shutters(film: FloatArray, random: np.random.Generator) -> None:
    """Collimation: what lies beyond straight edges, perhaps tilted, has one value."""
    side = film.shape[0]
    value = float(random.choice((0.0, 0.0, 1.0, random.random())))
    for turn in range(4):
        if random.random() < 0.5:
            near, far = (float(each) for each in random.uniform(0, 0.12, 2) * side)
            if random.random() < 0.6:
                far = near
            corners = np.array([[0, 0], [side, 0], [side, far], [0, near]])
            for _ in range(turn):
                corners = np.stack([side - corners[:, 1], corners[:, 0]], axis=1)
            cv2.fillPoly(film, [np.round(corners).astype(np.int32)], value)


def _blend(film: FloatArray, drawn: FloatArray, random: np.random.Generator, soft: tuple[float, float]) -> None:
    """Lays drawn shapes over the film as dense things, with the softness of a detector."""
    cover = cv2.GaussianBlur(drawn, (0, 0), random.uniform(*soft)) * random.uniform(0.15, 0.9)
    film += (np.float32(random.uniform(0.85, 1.0)) - film) * cover.astype(np.float32)


def _cable(film: FloatArray, random: np.random.Generator) -> None:
    side, drawn = film.shape[0], np.zeros_like(film)
    for _ in range(random.integers(1, 5)):
        steps = np.linspace(0, 1, 60)
        start, end, pull = random.uniform(0, side, 2), random.uniform(0, side, 2), random.uniform(-0.4, 0.4, 2) * side
        path = start + np.outer(steps, end - start) + np.outer(np.sin(np.pi * steps), pull)
        cv2.polylines(drawn, [np.round(path).astype(np.int32)], False, 1.0, int(random.integers(1, 6)), cv2.LINE_AA)
    _blend(film, drawn, random, (0.5, 1.5))


def _clips(film: FloatArray, random: np.random.Generator) -> None:
    side, drawn = film.shape[0], np.zeros_like(film)
    centre = random.uniform(0.2, 0.8, 2) * side
    for _ in range(random.integers(2, 9)):
        x, y = centre + random.normal(0, 0.12 * side, 2)
        length, angle = random.uniform(5, 16), random.uniform(0, np.pi)
        far = (round(x + length * np.cos(angle)), round(y + length * np.sin(angle)))
        cv2.line(drawn, (round(x), round(y)), far, 1.0, int(random.integers(1, 4)), cv2.LINE_AA)
    _blend(film, drawn, random, (0.4, 0.9))


def _loops(film: FloatArray, random: np.random.Generator) -> None:
    """Wires that close a sternum: a column of small loops down the middle."""
    side, drawn = film.shape[0], np.zeros_like(film)
    x = random.uniform(0.4, 0.6) * side
    for y in np.arange(random.uniform(0.2, 0.35), random.uniform(0.5, 0.75), random.uniform(0.06, 0.1)) * side:
        middle = (round(x + random.normal(0, 6)), round(y + random.normal(0, 6)))
        axes = (int(random.integers(8, 26)), int(random.integers(5, 14)))
        start = float(random.uniform(0, 360))
        cv2.ellipse(drawn, middle, axes, random.uniform(-40, 40), start, start + 320, 1.0, 2, cv2.LINE_AA)
        cv2.line(drawn, middle, (middle[0] + 8, middle[1] - 6), 1.0, 3, cv2.LINE_AA)
    _blend(film, drawn, random, (0.5, 1.0))


def _discs(film: FloatArray, random: np.random.Generator) -> None:
    """Buttons, electrodes, coins: round things and rings."""
    side, drawn = film.shape[0], np.zeros_like(film)
    for _ in range(random.integers(1, 6)):
        x, y = (round(each) for each in random.uniform(0, side, 2))
        radius, filled = int(random.integers(5, 24)), random.random() < 0.5
        cv2.circle(drawn, (x, y), radius, 1.0, -1 if filled else int(random.integers(1, 5)), cv2.LINE_AA)
    _blend(film, drawn, random, (0.5, 1.2))


def _plates(film: FloatArray, random: np.random.Generator) -> None:
    """Boxes and frames with nothing in them."""
    side = film.shape[0]
    for _ in range(random.integers(1, 4)):
        height, width = round(random.uniform(0.01, 0.08) * side), round(random.uniform(0.02, 0.3) * side)
        x, y = (round(each) for each in random.uniform(0, 0.95, 2) * side)
        stroke = -1 if random.random() < 0.6 else int(random.integers(1, 4))
        cv2.rectangle(film, (x, y), (x + width, y + height), float(random.random() < 0.5), stroke)
