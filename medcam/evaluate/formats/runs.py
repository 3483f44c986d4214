"""Masks as run lengths: COCO's, plain and compressed, and those of the SIIM-ACR challenge, which are the same runs.

Pixels are counted down the columns, left to right. Runs of false and true alternate and begin with false (Lin et al.
2014 and the mask code published with COCO). A compressed string holds a run as groups of five bits, least first, with
a sixth for "more follows"; from the fourth run on it holds the difference to the run two before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from medcam.core.arrays import BoolArray
from medcam.evaluate.formats.errors import PlacesError

MOST_PIXELS = 2**27
"""A mask with more is refused: a few bytes must not ask for all memory."""
_FIRST, _BITS, _MORE, _SIGN = 48, 5, 0x20, 0x10
_LONGEST = 8


@dataclass(frozen=True, eq=False)
class Runs:
    """A mask as run lengths.

    Args:
        height: Rows.
        width: Columns.
        counts: int64 [runs]; lengths of runs of false, true, false, ... that sum to height x width.

    Raises:
        PlacesError: The runs do not fill the mask, or the mask is too large.
    """

    height: int
    width: int
    counts: npt.NDArray[np.int64] = field(repr=False)

    def __post_init__(self) -> None:
        if min(self.height, self.width) < 1 or self.height * self.width > MOST_PIXELS:
            raise PlacesError(f"a mask of {self.height} x {self.width} is not read")
        counts = np.asarray(self.counts, dtype=np.int64)
        if counts.ndim != 1 or (counts < 0).any() or (counts > MOST_PIXELS).any():
            raise PlacesError("run lengths must be a list of whole numbers from 0 on")
        if int(counts.sum()) != self.height * self.width:
            raise PlacesError(f"runs of {int(counts.sum())} pixels do not fill a mask of {self.height} x {self.width}")
        object.__setattr__(self, "counts", counts)

    @classmethod
    def of(cls, mask: BoolArray) -> Runs:
        """The runs of a mask [height, width]."""
        flat = np.asarray(mask, dtype=np.bool_).ravel(order="F")
        edges = np.flatnonzero(flat[1:] != flat[:-1]) + 1
        counts = np.diff(np.concatenate([[0], edges, [flat.size]]))
        first = [0] if flat.size and flat[0] else []
        return cls(mask.shape[0], mask.shape[1], np.concatenate([first, counts]).astype(np.int64))

    def mask(self) -> BoolArray:
        """The mask, bool [height, width]."""
        values = np.arange(len(self.counts)) % 2 == 1
        return np.repeat(values, self.counts).reshape((self.height, self.width), order="F")

    @property
    def area(self) -> int:
        """How many pixels are true."""
        return int(self.counts[1::2].sum())

    @classmethod
    def from_text(cls, height: int, width: int, text: str) -> Runs:
        """Reads a compressed string of COCO's.

        Raises:
            PlacesError: It is cut off, holds other characters, or does not fill the mask.
        """
        return cls(height, width, np.array(_numbers(text), dtype=np.int64))

    def text(self) -> str:
        """The compressed string."""
        counts = self.counts.tolist()
        return "".join(_word(count - counts[i - 2] if i > 2 else count) for i, count in enumerate(counts))

    @classmethod
    def from_siim(cls, height: int, width: int, text: str) -> Runs:
        """Reads pairs "gap length ..." of the SIIM-ACR challenge; a gap counts from the end of the run before.

        Raises:
            PlacesError: It is no list of pairs, or leaves the mask.
        """
        try:
            numbers = [int(word) for word in text.split()]
        except ValueError as error:
            raise PlacesError("EncodedPixels must be whole numbers") from error
        if len(numbers) % 2 or any(not 0 <= number <= MOST_PIXELS for number in numbers):
            raise PlacesError("EncodedPixels must be pairs of a gap and a length")
        rest = height * width - sum(numbers)
        if rest < 0:
            raise PlacesError(f"EncodedPixels leave a mask of {height} x {width}")
        return cls(height, width, np.array([*numbers, rest], dtype=np.int64))

    def siim(self) -> str:
        """The pairs of the SIIM-ACR challenge; empty for an empty mask."""
        pairs = self.counts[: len(self.counts) // 2 * 2]
        return " ".join(map(str, pairs.tolist()))


def runs_of(item: object, what: str) -> Runs:
    """Reads `{"size": [height, width], "counts": string or list}`.

    Args:
        item: As `json` gives it.
        what: Named in the message.

    Raises:
        PlacesError: It is something else.
    """
    try:
        height, width = (int(side) for side in item["size"])  # type: ignore[index]
        counts = item["counts"]  # type: ignore[index]
        if isinstance(counts, str):
            return Runs.from_text(height, width, counts)
        return Runs(height, width, _whole(counts))
    except PlacesError as error:
        raise PlacesError(f"{what}: {error.message}") from error
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise PlacesError(f"{what} is no mask in COCO's run lengths") from error


def _whole(counts: Sequence[object]) -> npt.NDArray[np.int64]:
    if not isinstance(counts, list) or not all(type(count) is int for count in counts):
        raise PlacesError("run lengths must be a list of whole numbers from 0 on")
    return np.array(counts, dtype=np.int64)


def _numbers(text: str) -> list[int]:
    numbers: list[int] = []
    value, groups = 0, 0
    for letter in text:
        bits = ord(letter) - _FIRST
        if not 0 <= bits < 2 * _MORE or groups >= _LONGEST:
            raise PlacesError("a compressed string of runs holds characters that do not belong there")
        value |= (bits & (_MORE - 1)) << (_BITS * groups)
        groups += 1
        if bits & _MORE:
            continue
        if bits & _SIGN:
            value -= 1 << (_BITS * groups)
        numbers.append(value + numbers[-2] if len(numbers) > 2 else value)
        value, groups = 0, 0
    if groups:
        raise PlacesError("a compressed string of runs is cut off")
    return numbers


def _word(number: int) -> str:
    letters = []
    while True:
        bits, number = number & (_MORE - 1), number >> _BITS
        done = number == (-1 if bits & _SIGN else 0)
        letters.append(chr((bits if done else bits | _MORE) + _FIRST))
        if done:
            return "".join(letters)
