"""Finds letters that were burned into a film: markers, names, dates, annotation.

Burned-in letters are drawn, not imaged: strokes of one width and one value, with edges a pixel wide, in rows. Vessels,
ribs and wires are blurred by the detector and carry its noise. Bright letters and dark ones are looked for alike.

1. Top-hat by an opening wider than a stroke: what is thin and stands out from its surroundings.
2. Connected parts of that, judged as letters: size, sharp edges all around, nearly one value inside.
3. Letters near each other, of like height, make a line; a letter alone must be plainer to count.
4. The box of each line, with a margin, is the answer: between letters nothing remains to be guessed at.

Letters whose strokes were smoothed have no one value; `find_text_lines` finds them by the density of their edges.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components
from skimage.measure import label, regionprops
from skimage.measure._regionprops import RegionProperties

from medcam.core.arrays import BoolArray
from medcam.dicom.deidentify.text_lines import find_text_lines

Image = npt.NDArray[np.float32]

_STROKES = (5, 9, 15)
"""Sides in pixels, at 1024 pixels per film side, of openings that strokes do not survive: small print to markers."""
_REFERENCE = 1024.0
_CONTRAST = 0.10
"""Of the film's range: what stands out less cannot be read."""
_FAINT = 0.125
"""Mean contrast of a letter; specks of noise that just pass the threshold have less."""
_SMALLEST, _LARGEST = 5, 0.09
"""Height of a letter: at least, in pixels; at most, as a share of the film's shorter side."""
_FEWEST = 10
"""Pixels of a letter."""
_WIDEST = 1.6
"""Width of a letter, or of letters that touch, by the largest height."""
_DRAWN, _UNEVEN = 0.02, 0.12
"""Standard deviation inside a letter by its contrast: of a letter in one value, and of one that a codec, anti-aliasing
or a scanner has touched."""
_PLAIN = 0.25
"""Contrast that is asked of letters of the second kind."""
_SHARP, _SHARP_ALONE = 0.55, 0.7
"""Share of the contrast that is gained within two pixels of the edge."""
_FILLED = (0.12, 0.9)
"""Share of its box that a letter fills."""
_LINE = 3
"""Letters that make a line for certain."""


@dataclass(frozen=True, slots=True)
class _Letter:
    top: int
    left: int
    bottom: int
    right: int
    alone: bool

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def side(self) -> int:
        return max(self.height, self.right - self.left)


def find_burned_in(image: npt.NDArray[np.floating], padding: BoolArray | None = None) -> BoolArray:
    """Where text is burned in.

    Args:
        image: float [height, width], denser is brighter, in any unit.
        padding: bool [height, width]: what is no image and does not count for its range; text there counts.

    Returns:
        bool [height, width]: boxes around the lines and markers found.
    """
    values = np.asarray(image, dtype=np.float32)
    visible = values if padding is None or padding.all() else values[~padding]
    low, high = np.percentile(visible, (0.5, 99.9))
    found = np.zeros(values.shape, dtype=np.bool_)
    if high <= low:
        low, high = float(values.min()), float(values.max())
        if high <= low:
            return found
    scaled = np.clip((values - low) / (high - low), -0.5, 1.5).astype(np.float32)
    found |= find_text_lines(scaled)
    for film in (scaled, -scaled):
        for side in _openings(values.shape):
            for line in _lines(list(_letters(film, side))):
                _mark(found, line)
    return found


def _openings(shape: tuple[int, ...]) -> list[int]:
    scale = max(1.0, min(shape) / _REFERENCE)
    return sorted({int(side * scale) // 2 * 2 + 1 for side in _STROKES})


def _letters(film: Image, side: int) -> Iterator[_Letter]:
    """Parts that look like letters whose strokes are thinner than `side`."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    hat = film - cv2.morphologyEx(film, cv2.MORPH_OPEN, kernel, borderType=cv2.BORDER_REPLICATE)
    around = cv2.erode(film, np.ones((5, 5), np.uint8), borderType=cv2.BORDER_REPLICATE)
    sharp = film - around
    tallest = _LARGEST * min(film.shape)
    parts = label(hat > _CONTRAST, connectivity=2)
    parts[np.bincount(parts.ravel())[parts] < _FEWEST] = 0  # specks of noise, by the thousand
    for region in regionprops(parts):
        letter = _judged(region, film, hat, sharp, tallest)
        if letter is not None:
            yield letter


def _judged(region: RegionProperties, film: Image, hat: Image, sharp: Image, tallest: float) -> _Letter | None:
    top, left, bottom, right = region.bbox
    height, width = bottom - top, right - left
    if not (
        max(height, width) >= _SMALLEST and height <= tallest and width <= tallest * _WIDEST and region.area >= _FEWEST
    ):
        return None
    if not _FILLED[0] <= region.extent <= 1.0:
        return None
    rows, columns = region.coords[:, 0], region.coords[:, 1]
    contrast = float(np.median(hat[rows, columns]))
    uneven = float(np.subtract(*np.percentile(film[rows, columns], (75, 25)))) / 1.35 / contrast
    edge = float(np.percentile(sharp[rows, columns], 50)) / contrast
    drawn = uneven <= _DRAWN
    if uneven > _UNEVEN or edge < _SHARP or contrast < (_FAINT if drawn else _PLAIN):
        return None
    alone = drawn and edge >= _SHARP_ALONE and region.extent <= _FILLED[1] and height >= 2 * _SMALLEST
    return _Letter(top, left, bottom, right, alone)


def _lines(letters: Sequence[_Letter]) -> Iterator[list[_Letter]]:
    """Groups letters that stand near each other and have like sizes."""
    if not letters:
        return
    ordered = sorted(letters, key=lambda letter: letter.left)
    pairs = list(_pairs(ordered))
    links = csr_matrix((np.ones(len(pairs)), tuple(zip(*pairs, strict=True))), (len(ordered),) * 2) if pairs else None
    groups = np.arange(len(ordered)) if links is None else connected_components(links, directed=False)[1]
    for group in np.unique(groups):
        line = [letter for letter, its in zip(ordered, groups, strict=True) if its == group]
        if len(line) >= _LINE or any(letter.alone for letter in line):
            yield line


def _pairs(ordered: Sequence[_Letter]) -> Iterator[tuple[int, int]]:
    """Which of the letters, ordered from left to right, belong together."""
    for index, letter in enumerate(ordered):
        for other in range(index + 1, len(ordered)):
            if ordered[other].left > letter.right + 3 * letter.side:
                break
            if _belong(letter, ordered[other]):
                yield index, other


def _belong(one: _Letter, other: _Letter) -> bool:
    """Whether two letters may stand in one line, across or down the film."""
    small, large = sorted((one.side, other.side))
    if large > 2.2 * small:
        return False
    across = max(one.left, other.left) - min(one.right, other.right)
    down = max(one.top, other.top) - min(one.bottom, other.bottom)
    near = 1.2 * large
    overlap = -0.5 * small
    return (across <= near and down <= overlap) or (down <= near and across <= overlap)


def _mark(found: BoolArray, line: Sequence[_Letter]) -> None:
    margin = max(2, round(0.2 * max(letter.side for letter in line)))
    top, left = min(letter.top for letter in line), min(letter.left for letter in line)
    bottom, right = max(letter.bottom for letter in line), max(letter.right for letter in line)
    found[max(0, top - margin) : bottom + margin, max(0, left - margin) : right + margin] = True
