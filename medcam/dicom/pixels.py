"""Decodes the stored pixel values of a single-frame image."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.pixels.decoders.base import Decoder, get_decoder
from pydicom.pixels.processing import apply_color_lut
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    UID,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from medcam.dicom.codestream import check_codestream, jpeg_frame, with_whole_scan
from medcam.dicom.description import GREY, PALETTE, PixelDescription, check_frames, describe
from medcam.dicom.errors import PixelDataError, converting
from medcam.dicom.gdcm import GDCM_SYNTAXES, decode_with_gdcm
from medcam.dicom.header import Header
from medcam.dicom.quiet import silent_stderr
from medcam.dicom.transfer import transfer_syntax_of, unsupported

_LOSSY = frozenset((JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLSNearLossless, JPEG2000, HTJ2K))
_JPEG_LS = (JPEGLSLossless, JPEGLSNearLossless)
_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)
"""ITU-R BT.601, the Y of YBR_FULL (DICOM PS3.3 C.7.6.3.1.2)."""


@dataclass(frozen=True, eq=False)
class DecodedPixels:
    """Pixels as decoded, before any step of the grey-scale pipeline.

    Args:
        values: [rows, columns] integers in their container (grey), or [rows, columns, 3] red, green, blue.
        description: What the header says about them.
        transfer_syntax: What they were decoded with.
    """

    values: npt.NDArray[Any] = field(repr=False)
    description: PixelDescription
    transfer_syntax: UID

    @property
    def is_colour(self) -> bool:
        """Whether the values are red, green and blue."""
        return self.values.ndim == 3

    @property
    def is_lossy(self) -> bool:
        """Whether the codec may deliver values that the film did not hold, some of them beyond Bits Stored."""
        return self.transfer_syntax in _LOSSY

    @property
    def is_native(self) -> bool:
        """Whether no codec was involved, so that stray bits may lie anywhere in the container."""
        return not self.transfer_syntax.is_compressed


def decode_pixels(header: Header) -> DecodedPixels:
    """Decodes a data set's pixels.

    Raises:
        PixelDataError: Codes `invalid-attribute`, `too-large`, `unsupported-pixel-format`, `unsupported-photometric`,
            `multi-frame`, `frame-count-mismatch`, `truncated-pixel-data`, `unsupported-transfer-syntax`, `undecodable`.
    """
    description = describe(header)
    data = bytes(header.dataset.PixelData or b"")
    if not data:
        raise PixelDataError("the pixel data are empty", code="truncated-pixel-data")
    syntax = transfer_syntax_of(header, description, data)
    check_frames(header, description, data, encapsulated=syntax.is_encapsulated)
    if syntax.is_encapsulated:
        check_codestream(data, description)
        data = _mended(data, header)
    values = _decode(data, header, description, syntax)
    if description.photometric == PALETTE:
        values = _through_palette(values, header.dataset)
    return DecodedPixels(values, description, syntax)


def luminance(values: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Grey [rows, columns] of red, green and blue [rows, columns, 3], in the same units; equal channels stay exact."""
    grey = np.asarray(values.astype(np.float32) @ _LUMA, dtype=np.float32)
    equal = (values[..., 0] == values[..., 1]) & (values[..., 1] == values[..., 2])
    return np.where(equal, values[..., 0], grey).astype(np.float32)


def _mended(data: bytes, header: Header) -> bytes:
    mended = with_whole_scan(data)
    if mended is not data:
        header.warn("the JPEG scan header is wrong (spectral selection): it was read as the only one possible")
    return mended


def _decode(data: bytes, header: Header, description: PixelDescription, syntax: UID) -> npt.NDArray[Any]:
    with converting("no codec here decodes this transfer syntax", PixelDataError, "unsupported-transfer-syntax"):
        decoder = get_decoder(syntax)
    if decoder.is_available:
        with converting("the pixel data cannot be decoded", PixelDataError):
            options = _options(description, str(header.dataset["PixelData"].VR))
            quick = _quick_rle(decoder, data, options) if syntax == RLELossless else None
            plugin = _plugin(syntax, decoder.available_plugins)
            values = decoder.as_array(data, index=0, decoding_plugin=plugin, **options)[0] if quick is None else quick
    else:
        values = _with_gdcm(data, header, description, syntax)
    shape = (description.rows, description.columns) + ((3,) if description.samples == 3 else ())
    if values.shape != shape:
        raise PixelDataError("the decoded image has another size than its header says")
    return values.astype(values.dtype.newbyteorder("="), copy=False)


def _plugin(syntax: UID, available: tuple[str, ...]) -> str:
    """Which plug-in decodes a transfer syntax; empty for pydicom's own order."""
    if syntax == RLELossless:
        return "pydicom"  # where `_quick_rle` has not decoded it
    # CharLS takes about 110 ms for 2048 x 2048 of 12 bits, libjpeg 380, which pydicom would ask first.
    return "pyjpegls" if syntax in _JPEG_LS and "pyjpegls" in available else ""


def _quick_rle(decoder: Decoder, data: bytes, options: dict[str, Any]) -> npt.NDArray[Any] | None:
    """RLE by pylibjpeg-rle, in a seventh of pydicom's time; None where it is not there, or refuses the data.

    On damaged data it panics: what can be made of them, and why nothing can, is for pydicom to say. It does not look at
    the number of segments, which has to be right (PS3.5 annex G).
    """
    segments = options["samples_per_pixel"] * options["bits_allocated"] // 8
    if "pylibjpeg" not in decoder.available_plugins or _rle_segments(data) != segments:
        return None
    try:
        with silent_stderr():
            values, _ = decoder.as_array(data, index=0, decoding_plugin="pylibjpeg", **options)
    except (MemoryError, KeyboardInterrupt, SystemExit):
        raise
    except BaseException:  # noqa: BLE001 - a panic is no Exception
        return None
    return values


def _rle_segments(data: bytes) -> int:
    """Number of segments that the header of the first frame states, behind the offset table and the item's own tag."""
    start = 16 + int.from_bytes(data[4:8], "little")
    return int.from_bytes(data[start : start + 4], "little")


def _with_gdcm(data: bytes, header: Header, description: PixelDescription, syntax: UID) -> npt.NDArray[Any]:
    """Stands in for a plug-in that is not installed, and says so.

    It does not get a second try at what a plug-in has refused: on damaged streams it makes up what is missing.
    """
    found = jpeg_frame(data) if syntax in GDCM_SYNTAXES and description.samples == 1 else None
    if found is None or (found[1].rows, found[1].columns) != (description.rows, description.columns):
        raise unsupported(syntax)
    values = decode_with_gdcm(*found, description, syntax)
    header.warn("decoded by GDCM (SimpleITK): no plug-in of pydicom is installed for the transfer syntax")
    return values


def _options(description: PixelDescription, vr: str) -> dict[str, Any]:
    return {
        # Grey: the padding value is compared with the whole container first.
        "correct_unused_bits": description.photometric not in GREY,
        "rows": description.rows,
        "columns": description.columns,
        "samples_per_pixel": description.samples,
        "photometric_interpretation": description.photometric,
        "bits_allocated": description.bits_allocated,
        "bits_stored": description.bits_stored,
        "pixel_representation": int(description.signed),
        "planar_configuration": description.planar,
        "number_of_frames": 1,
        "pixel_keyword": "PixelData",
        "pixel_vr": vr,
    }


def _through_palette(values: npt.NDArray[Any], dataset: Dataset) -> npt.NDArray[Any]:
    with converting("the colour palette cannot be applied", PixelDataError, "invalid-lut"):
        return np.asarray(apply_color_lut(values, dataset))
