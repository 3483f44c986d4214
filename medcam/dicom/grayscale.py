"""The grey-scale pipeline as far as the values go: padding, stored bits, Modality LUT, polarity.

Order and rules are those of DICOM PS3.3: Pixel Padding (C.7.5.1.1.2) is told in stored values and so is masked first;
then only Bits Stored of each container count (PS3.5 8.1.1); then the Modality LUT or rescale (C.11.1); the VOI LUT is
kept apart; last comes polarity. MONOCHROME1 says that the smallest value is shown white, Presentation LUT Shape INVERSE
that the pipeline's output is inverted: a DX image must carry both for one and the same inversion (C.8.11.3.1.2).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from medcam.core.arrays import BoolArray, FloatArray
from medcam.dicom.description import PixelDescription
from medcam.dicom.errors import PixelDataError
from medcam.dicom.header import Header
from medcam.dicom.lut import read_table

StoredArray = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True, eq=False)
class ModalityValues:
    """Values after the Modality LUT.

    Args:
        values: float32 [height, width].
        ends: The two ends of the range that the stored values could have been mapped to.
        falling: Whether larger stored values became smaller.
        step: What was done, in the standard's words.
    """

    values: FloatArray = field(repr=False)
    ends: tuple[float, float]
    falling: bool
    step: str


def padding_mask(
    container: npt.NDArray[Any], stored: npt.NDArray[Any], description: PixelDescription, header: Header
) -> BoolArray | None:
    """Where there is no image, by Pixel Padding Value and Range Limit (0028,0120), (0028,0121).

    Args:
        container: [height, width] integers as decoded, stray high bits included.
        stored: The same after `stored_values`. A padding value is one of these, unless it is none that Bits Stored can
            hold: then it was meant for the container.
        description: Bits and sign.
        header: The data set.

    Returns:
        bool [height, width], or None where nothing is padded, or all is.
    """
    value = header.integer("PixelPaddingValue")
    if value is None:
        return None
    limit = header.integer("PixelPaddingRangeLimit")
    first, last = sorted(_in_type(number, container.dtype) for number in (value, value if limit is None else limit))
    lowest, highest = description.stored_range
    values = stored if lowest <= first and last <= highest else container
    mask = np.asarray((values >= first) & (values <= last), dtype=np.bool_)
    if mask.all():
        header.warn("every pixel has the padding value: no padding assumed")
        return None
    return mask if mask.any() else None


def stored_values(
    container: npt.NDArray[Any], description: PixelDescription, *, native: bool, lossy: bool = False
) -> StoredArray:
    """The Bits Stored of each container, sign-extended.

    Args:
        container: [height, width] integers as decoded.
        description: Bits and sign.
        native: Whether High Bit may lie above Bits Stored - 1; codecs deliver right-aligned values.
        lossy: Whether a codec may have overshot Bits Stored: what is too large becomes the largest value, since
            the bits above are no strays.

    Returns:
        int32 or int64 [height, width]; the container itself where it holds nothing else.
    """
    largest, strays = (1 << description.bits_stored) - 1, description.high_bit + 1 - description.bits_stored
    if (
        container.dtype.kind == "u"
        and not description.signed
        and not (native and strays)
        and container.max() <= largest
    ):
        return container
    unsigned = np.dtype(f"u{container.dtype.itemsize}")
    values: npt.NDArray[Any] = container.view(unsigned).astype(np.int32 if unsigned.itemsize <= 2 else np.int64)
    if native:
        values >>= strays
    if lossy and not description.signed:
        np.minimum(values, largest, out=values)
        return values
    values &= largest
    if description.signed:
        sign = 1 << (description.bits_stored - 1)
        values ^= sign
        values -= sign
    return values


def modality_values(
    stored: StoredArray, description: PixelDescription, header: Header, *, little_endian: bool
) -> ModalityValues:
    """Applies the Modality LUT Sequence or, without one, Rescale Slope and Intercept (PS3.3 C.11.1).

    Raises:
        PixelDataError: The table is broken (`invalid-lut`) or the values overflow (`invalid-attribute`).
    """
    low, high = description.stored_range
    items = header.items("ModalityLUTSequence")
    if items:
        table = read_table(items[0], (low, high), little_endian=little_endian)
        return ModalityValues(table(stored), table.ends, table.falls, "Modality LUT Sequence")
    slope, intercept = header.number("RescaleSlope"), header.number("RescaleIntercept")
    if slope == 0:
        header.warn("Rescale Slope is 0 and is ignored")
        slope = None
    slope, intercept = 1.0 if slope is None else slope, intercept or 0.0
    if (slope, intercept) == (1.0, 0.0):
        return ModalityValues(stored.astype(np.float32), (float(low), float(high)), falling=False, step="")
    values = np.multiply(stored, slope, dtype=np.float64)
    values += intercept
    if max(abs(values.max()), abs(values.min())) > np.finfo(np.float32).max:
        raise PixelDataError("the rescaled values leave the range of numbers", code="invalid-attribute")
    ends = (low * slope + intercept, high * slope + intercept)
    return ModalityValues(values.astype(np.float32), ends, slope < 0, "Rescale Slope and Intercept")


def is_inverse(header: Header) -> bool:
    """Whether the smallest value is to be shown white: MONOCHROME1, Presentation LUT Shape INVERSE, or both."""
    return (
        header.token("PhotometricInterpretation") == "MONOCHROME1" or header.token("PresentationLUTShape") == "INVERSE"
    )


def warn_about_sign(header: Header, *, falling: bool) -> None:
    """Warns where Pixel Intensity Relationship Sign (0028,1041) contradicts the polarity taken.

    Sign 1 says that larger stored values met more X-rays, so are less dense; -1 the contrary. It describes the
    acquisition and is often left wrong by later processing, so it never changes the polarity.

    Args:
        header: The data set.
        falling: Whether larger stored values became darker.
    """
    sign = header.integer("PixelIntensityRelationshipSign")
    if sign in (1, -1) and (sign == 1) != falling:
        header.warn(
            "Pixel Intensity Relationship Sign contradicts the polarity of the image: check that lungs are dark"
        )


def _in_type(number: int, dtype: np.dtype[Any]) -> int:
    """A number as the container's type holds it: a padding value may be stored as US beside signed pixels."""
    info = np.iinfo(dtype)
    if info.min <= number <= info.max:
        return number
    wrapped = number % (1 << info.bits)
    return wrapped - (1 << info.bits) if wrapped > info.max else wrapped
