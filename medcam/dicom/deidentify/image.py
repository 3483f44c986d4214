"""Stores pixels anew: decoded, and nothing kept but the image itself.

A codestream carries comments, EXIF data and whatever else its maker put into its segments; native data carry bits above
Bits Stored and bytes behind the last pixel. All of this ends here, since the output holds decoded values, uncompressed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from medcam.core.arrays import BoolArray
from medcam.dicom.deidentify.burned_in import find_burned_in
from medcam.dicom.grayscale import is_inverse, padding_mask, stored_values
from medcam.dicom.header import Header
from medcam.dicom.pixels import DecodedPixels, decode_pixels, luminance

FindText = Callable[[npt.NDArray[np.floating], BoolArray | None], BoolArray]
"""Where print lies on a film [height, width], denser is brighter, with its padding; see `find_burned_in`."""

_LOSSY = frozenset(("1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.81"))


@dataclass(frozen=True, slots=True)
class Blackened:
    """What was blacked out.

    Args:
        pixels: How many pixels.
        share: Of all pixels, 0 to 1.
    """

    pixels: int = 0
    share: float = 0.0


def write_pixels(result: Dataset, header: Header, *, clean: bool, find_text: FindText | None = None) -> Blackened:
    """Decodes a data set's pixels and writes them with their description into another one.

    Args:
        result: Gets the Image Pixel module.
        header: The original.
        clean: Whether burned-in text is blacked out.
        find_text: Finds more of it than `find_burned_in`; None for that alone.

    Returns:
        What was blacked out.

    Raises:
        PixelDataError: The pixels cannot be decoded; its codes are those of `decode_pixels`.
    """
    decoded = decode_pixels(header)
    values, padding = _grey(decoded, header) if not decoded.is_colour else (_colour(decoded), None)
    blackened = Blackened()
    if clean:
        values, blackened = _cleaned(values, header, padding, find_text)
    _describe(result, decoded, values)
    if padding is not None:
        mask, value = padding
        values = np.where(mask, value, values)
        result.add_new("PixelPaddingValue", "SS" if decoded.description.signed else "US", value)
    _store(result, values)
    if str(decoded.transfer_syntax) in _LOSSY:
        result.LossyImageCompression = "01"
    return blackened


Padding = tuple[BoolArray, int]


def _grey(decoded: DecodedPixels, header: Header) -> tuple[npt.NDArray[Any], Padding | None]:
    description = decoded.description
    stored = stored_values(decoded.values, description, native=decoded.is_native)
    mask = padding_mask(decoded.values, stored, description, header)
    value = header.integer("PixelPaddingValue")
    if mask is None or value is None or description.bits_allocated > 16:
        return stored, None
    low, high = description.stored_range
    # A padding value in the unused bits, or beyond them, takes the nearest value that the image can hold.
    return stored, (mask, int(np.clip(value, low, high)))


def _colour(decoded: DecodedPixels) -> npt.NDArray[Any]:
    if decoded.description.samples == 1:  # a palette's colours fill their container
        return decoded.values
    return decoded.values & ((1 << decoded.description.bits_stored) - 1)


def _cleaned(
    values: npt.NDArray[Any], header: Header, padding: Padding | None, find_text: FindText | None
) -> tuple[npt.NDArray[Any], Blackened]:
    grey = luminance(values) if values.ndim == 3 else values.astype(np.float32)
    inverse = values.ndim == 2 and is_inverse(header)
    film, outside = -grey if inverse else grey, None if padding is None else padding[0]
    mask = find_burned_in(film, outside)
    if find_text is not None:
        mask |= find_text(film, outside)
    filled = values.copy()
    # Black on the screen: the least dense value that the film itself has.
    filled[mask] = values.max() if inverse else values.min()
    return filled, Blackened(int(mask.sum()), float(mask.mean()))


def _describe(result: Dataset, decoded: DecodedPixels, values: npt.NDArray[Any]) -> None:
    description = decoded.description
    is_palette = decoded.is_colour and description.samples == 1
    bits = values.dtype.itemsize * 8 if is_palette else description.bits_stored
    result.SamplesPerPixel = 3 if decoded.is_colour else 1
    result.PhotometricInterpretation = "RGB" if decoded.is_colour else description.photometric
    if decoded.is_colour:
        result.PlanarConfiguration = 0
    result.Rows, result.Columns = description.rows, description.columns
    result.BitsAllocated = values.dtype.itemsize * 8 if is_palette else description.bits_allocated
    result.BitsStored, result.HighBit = bits, bits - 1
    result.PixelRepresentation = int(description.signed and not is_palette)


def _store(result: Dataset, values: npt.NDArray[Any]) -> None:
    container = np.dtype(f"<{'i' if result.PixelRepresentation else 'u'}{result.BitsAllocated // 8}")
    data = np.ascontiguousarray(values.astype(container)).tobytes()
    result.add_new("PixelData", "OB" if result.BitsAllocated == 8 else "OW", data + bytes(len(data) % 2))
