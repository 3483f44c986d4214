"""The wire form of a film: 16-bit values that a browser can window by itself, quick to pack and quick to undo.

The values become unsigned 16-bit numbers with

    pixel = float32(slope * stored + intercept), computed in float64

and travel as one gzip stream of two planes, each [rows, columns] bytes: first the high bytes, then the low bytes of

    zigzag(stored[y, x] - stored[y, x - 1])     16-bit two's complement, stored[y, -1] = 0
    zigzag(d) = (d << 1) ^ (d >> 15)            0, -1, 1, -2 ... become 0, 1, 2, 3 ...

Neighbours differ little, so that the plane of high bytes is nearly all zeros. A PNG would not do: a browser's canvas
cuts it to 8 bits.
"""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from medcam.core.arrays import BoolArray, FloatArray
from medcam.core.errors import InvalidValueError
from medcam.overlay.deflate import gzip_packed

LEVELS = 65536
"""Numbers that 16 bits can tell apart."""
_EXACT = 2**24
"""Up to here float32 has every whole number, and so every difference of two that lie less than `LEVELS` apart."""

_Stored = npt.NDArray[np.uint16]
_COMMON_STEP_TRIES = 16


@dataclass(frozen=True, slots=True)
class PackedFilm:
    """A film as it travels.

    Args:
        data: The gzip stream.
        rows: Rows of the film.
        columns: Columns of the film.
        slope: Pixel units per stored number, positive.
        intercept: The pixel value of stored number 0.
        exact: Whether every pixel comes back as it was.
        error: The largest difference between a pixel and what comes back, in pixel units; 0 where exact.
    """

    data: bytes = field(repr=False)
    rows: int
    columns: int
    slope: float
    intercept: float
    exact: bool
    error: float = 0.0


def pack_film(pixels: FloatArray, padding: BoolArray | None = None) -> PackedFilm:
    """Packs the pixels of a film.

    Args:
        pixels: float32 [rows, columns], finite. Whole numbers over a range under 65536 come back exactly. So do such
            numbers times a slope of up to nine digits plus an offset, where two that follow each other occur, as in
            any film of more than a few pixels. Anything else is quantised over its range.
        padding: bool [rows, columns], true where there is no image. Those pixels get the lowest value of the others,
            so that they are as dark as the film can be.

    Returns:
        The packed film; the same bytes for the same pixels on one machine. Another processor may pack them otherwise.

    Raises:
        InvalidValueError: The pixels are not finite, have no area, or the padding is of another shape.
    """
    values = np.asarray(pixels, dtype=np.float32)
    if values.ndim != 2 or values.size == 0:
        raise InvalidValueError(f"a film has rows and columns, not shape {values.shape}")
    if not np.isfinite(values).all():
        raise InvalidValueError("the pixels of a film must be finite")
    if padding is not None:
        values = _without_padding(values, padding)
    error = 0.0
    if (whole := _whole_numbers(values)) is not None:
        stored, slope, intercept = whole
    else:
        stored, slope, intercept = _evenly_spaced(values) or _quantised(values)
        error = _largest_error(values, stored, slope, intercept)
    data = gzip_packed(_planes(stored))
    rows, columns = values.shape
    return PackedFilm(data, rows, columns, slope, intercept, error == 0.0, error)


def unpack_film(packed: PackedFilm) -> FloatArray:
    """The pixels of a packed film: float32 [rows, columns].

    Raises:
        InvalidValueError: The data are no film of the stated size.
    """
    size = packed.rows * packed.columns
    try:
        data = gzip.decompress(packed.data)
    except (OSError, EOFError, zlib.error) as error:
        raise InvalidValueError("these bytes are no packed film") from error
    if len(data) != 2 * size:
        raise InvalidValueError(f"a film of {packed.rows} x {packed.columns} has {2 * size} bytes, not {len(data)}")
    high, low = np.frombuffer(data, dtype=np.uint8).reshape(2, packed.rows, packed.columns).astype(np.uint16)
    zigzag = (high << np.uint16(8)) | low
    steps = (zigzag >> np.uint16(1)) ^ (np.uint16(0) - (zigzag & np.uint16(1)))
    return _pixels(np.cumsum(steps, axis=1, dtype=np.uint16), packed.slope, packed.intercept)


def _planes(stored: _Stored) -> npt.NDArray[np.uint8]:
    steps = stored.copy()
    steps[:, 1:] -= stored[:, :-1]  # modulo 65536, as unsigned numbers do
    signed = steps.view(np.int16)
    zigzag = ((signed << 1) ^ (signed >> 15)).view(np.uint16)
    return np.stack(((zigzag >> 8).astype(np.uint8), (zigzag & 0xFF).astype(np.uint8)))


def _pixels(stored: _Stored, slope: float, intercept: float) -> FloatArray:
    return np.asarray(stored * np.float64(slope) + np.float64(intercept), dtype=np.float32)


def _largest_error(values: FloatArray, stored: _Stored, slope: float, intercept: float) -> float:
    table = _pixels(np.arange(int(stored.max()) + 1, dtype=np.uint16), slope, intercept)
    back = table[stored]
    return 0.0 if np.array_equal(back, values) else float(np.abs(back.astype(np.float64) - values).max())


def _without_padding(values: FloatArray, padding: BoolArray) -> FloatArray:
    if padding.shape != values.shape:
        raise InvalidValueError("padding and pixels differ in shape")
    image = values[~padding]
    return np.where(padding, image.min() if image.size else values.min(), values)


def _whole_numbers(values: FloatArray) -> tuple[_Stored, float, float] | None:
    lowest, highest = values.min(), values.max()
    if np.float64(highest) - lowest >= LEVELS or lowest != np.rint(lowest):
        return None
    if max(-lowest, highest) > _EXACT:
        values, lowest = values.astype(np.float64), np.float64(lowest)
    stored = (values - lowest).astype(np.uint16)
    if not np.array_equal(stored + lowest, values):
        return None
    return stored, 1.0, float(lowest)


def _evenly_spaced(values: FloatArray) -> tuple[_Stored, float, float] | None:
    """Numbers on an even grid, such as whole stored values after a Modality LUT with a fractional slope."""
    levels = np.unique(values).astype(np.float64)
    if not 1 < levels.size <= LEVELS:
        return None
    gaps = np.diff(levels)
    # Far from zero, rounding spoils the smallest gap too much to count with it, but not to guess a short decimal by it.
    steps = [step for step in (float(gaps.min()), _common_step(gaps)) if step is not None]
    for slope, intercept in (one for step in steps for one in _likely(step, float(levels[0]))):
        places = np.rint((levels - levels[0]) / slope)
        if places[-1] < LEVELS and np.array_equal(_pixels(places.astype(np.uint16), slope, intercept), levels):
            stored = places.astype(np.uint16)[np.searchsorted(levels, values)]
            return np.asarray(stored, dtype=np.uint16), slope, intercept
    return None


def _common_step(gaps: npt.NDArray[np.float64]) -> float | None:
    """The largest step of which all gaps are multiples, up to rounding; None where there seems to be none."""
    step = float(gaps.min())
    for _ in range(_COMMON_STEP_TRIES):
        left = np.abs(gaps - np.rint(gaps / step) * step)
        if not (left > 0.1 * step).any():
            # All gaps together tell the step far more exactly than the smallest alone.
            return float(gaps.sum() / np.rint(gaps / step).sum())
        step = float(left[left > 0.1 * step].min())
    return None


def _likely(step: float, lowest: float) -> list[tuple[float, float]]:
    """What to try, as a Rescale Slope is a short decimal or a fraction of a power of two; short ones first."""
    decimals = [float(f"{step:.{digits}g}") for digits in range(1, 10)]
    # Such as 100 / 4096, which as a decimal has more digits than the levels tell.
    binaries = [round(step * 2**bits) / 2**bits for bits in range(6, 21, 2)]
    steps = [*decimals, *(one for one in binaries if one > 0.0), step]
    offsets = [float(f"{lowest:.{digits}g}") for digits in range(3, 9)] + [lowest]
    return [(slope, offset) for slope in steps for offset in dict.fromkeys(offsets)]


def _quantised(values: FloatArray) -> tuple[_Stored, float, float]:
    lowest, highest = np.float64(values.min()), np.float64(values.max())
    slope = float(highest - lowest) / (LEVELS - 1) or 1.0  # a film of one value has no range
    stored = np.rint((values - lowest) / slope)
    return np.clip(stored, 0, LEVELS - 1).astype(np.uint16), slope, float(lowest)
