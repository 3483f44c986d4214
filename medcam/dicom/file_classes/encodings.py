"""Classes of the same film in every encoding: transfer syntaxes, missing headers, codecs, fragments."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.pixels.encoders.base import (
    JPEG2000Encoder,
    JPEG2000LosslessEncoder,
    JPEGLSLosslessEncoder,
    JPEGLSNearLosslessEncoder,
)

from medcam.dicom.file_classes.build import (
    BIG,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    RAMP,
    SIGNED,
    bare,
    encapsulated,
    file_of,
    image,
)
from medcam.dicom.file_classes.case import FileClass
from medcam.dicom.file_classes.formulas import Numbers
from medcam.dicom.file_classes.jpeg import lossless_jpeg, run_length, sequential_jpeg

FAULTY = "faulty headers"
"""Group of files that break a rule and can be read with certainty all the same."""

BASELINE, EXTENDED = "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"
LOSSLESS, LOSSLESS_SV1 = "1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70"
JPEG_LS, NEAR_LOSSLESS = "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81"
J2K_LOSSLESS, J2K = "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91"
RLE = "1.2.840.10008.1.2.5"

_PLAIN = RAMP.astype(np.float64)
_SMOOTH = np.add.outer(np.arange(48) * 50, np.arange(40) * 40).astype(np.uint16)
"""A soft 12-bit film for codecs that lose something."""


def encodings() -> list[FileClass]:
    """Transfer syntaxes without compression, and files that lack what PS3.10 asks for."""
    odd = (RAMP[:, :7] // 16).astype(np.uint8)
    film = image(RAMP, bits=12)
    whole = file_of(image(RAMP, bits=12))
    trailing = image(RAMP, bits=12)
    trailing.PixelData += b"\7" * 24
    kinds: dict[str, tuple[bytes, Numbers]] = {
        "implicit VR": (file_of(image(RAMP, bits=12), IMPLICIT), _PLAIN),
        "big endian": (file_of(image(RAMP, bits=12), BIG), _PLAIN),
        "big endian, 8 bits in OW words": (file_of(_in_words(odd), BIG), odd.astype(np.float64)),
        "big endian, signed": (file_of(image(SIGNED, bits=12), BIG), SIGNED.astype(np.float64)),
        "big endian, 32 bits": (file_of(image(RAMP.astype(np.uint32) * 256), BIG), _PLAIN * 256),
        "deflated": (file_of(image(RAMP, bits=12), DEFLATED), _PLAIN),
        "no preamble": (whole[132:], _PLAIN),
        "no preamble, no meta information, implicit": (bare(film), _PLAIN),
        "no preamble, no meta information, explicit": (bare(image(RAMP, bits=12), EXPLICIT), _PLAIN),
        "no preamble, no meta information, big endian": (bare(image(RAMP, bits=12), BIG), _PLAIN),
        "meta information names a codec, pixels are native": (
            file_of(image(RAMP, bits=12), named=LOSSLESS_SV1),
            _PLAIN,
        ),
        "24 bytes after the pixels": (file_of(trailing), _PLAIN),
        "Number of Frames 1": (file_of(image(RAMP, bits=12, NumberOfFrames=1)), _PLAIN),
    }
    section = "PS3.5 7.3, Annex A; PS3.10 7.1"
    return [FileClass(name, _group(name, "encoding"), section, data, values) for name, (data, values) in kinds.items()]


Kinds = dict[str, tuple[str, npt.NDArray[Any], int, bytes, float]]
"""By name: transfer syntax, stored values, Bits Stored, the stream, and what the codec may lose."""


def codecs() -> list[FileClass]:
    """Compressed transfer syntaxes."""
    cases = [
        FileClass(
            name,
            _group(name, "codec"),
            "PS3.5 8.2, Annex A.4",
            encapsulated(image(stored, bits=bits), syntax, stream),
            stored.astype(np.float64),
            tolerance=loss,
        )
        for name, (syntax, stored, bits, stream, loss) in {**_runs_and_jpeg(), **_later_codecs()}.items()
    ]
    return cases + _wrapped_frames(_SMOOTH.astype(np.float64))


def _runs_and_jpeg() -> Kinds:
    eight = (_SMOOTH // 16).astype(np.uint8)
    return {
        "RLE, 16 bits": (RLE, _SMOOTH, 12, run_length(_SMOOTH), 0),
        "RLE, 8 bits": (RLE, eight, 8, run_length(eight), 0),
        "RLE, signed": (RLE, _signed(), 12, run_length(_signed()), 0),
        "JPEG baseline": (BASELINE, eight, 8, sequential_jpeg(eight, 8), 1),
        "JPEG extended, 12 bits": (EXTENDED, _SMOOTH, 12, sequential_jpeg(_SMOOTH, 12), 2),
        "JPEG extended, 12 bits, Se 0 in its scan header": (
            EXTENDED,
            _SMOOTH,
            12,
            sequential_jpeg(_SMOOTH, 12, scan_end=0),
            2,
        ),
        "JPEG extended, 8 bits": (EXTENDED, eight, 8, sequential_jpeg(eight, 8), 1),
        "JPEG lossless": (LOSSLESS, _SMOOTH, 12, lossless_jpeg(_SMOOTH, 12), 0),
        "JPEG lossless SV1": (LOSSLESS_SV1, _SMOOTH, 12, lossless_jpeg(_SMOOTH, 12), 0),
        "JPEG lossless SV1, 16 bits": (LOSSLESS_SV1, _SMOOTH * 13, 16, lossless_jpeg(_SMOOTH * 13, 16), 0),
        "JPEG lossless SV1, signed": (
            LOSSLESS_SV1,
            SIGNED,
            12,
            lossless_jpeg(SIGNED.view(np.uint16) & np.uint16(0xFFF), 12),
            0,
        ),
    }


def _later_codecs() -> Kinds:
    return {
        "JPEG-LS lossless": (JPEG_LS, _SMOOTH, 12, _encoded(JPEGLSLosslessEncoder, _SMOOTH, 12), 0),
        "JPEG-LS near-lossless": (
            NEAR_LOSSLESS,
            _SMOOTH,
            12,
            _encoded(JPEGLSNearLosslessEncoder, _SMOOTH, 12, jls_error=2),
            2,
        ),
        "JPEG 2000 lossless": (J2K_LOSSLESS, _SMOOTH, 12, _encoded(JPEG2000LosslessEncoder, _SMOOTH, 12), 0),
        "JPEG 2000 lossless, signed": (
            J2K_LOSSLESS,
            _signed(),
            12,
            _encoded(JPEG2000LosslessEncoder, _signed(), 12),
            0,
        ),
        "JPEG 2000 lossy": (J2K, _SMOOTH, 12, _encoded(JPEG2000Encoder, _SMOOTH, 12, j2k_psnr=[70.0]), 12),
    }


def _wrapped_frames(smooth: Numbers) -> list[FileClass]:
    """The ways a frame may lie in its items (PS3.5 A.4)."""
    stream = lossless_jpeg(_SMOOTH, 12)
    film = image(_SMOOTH, bits=12)
    ways: dict[str, dict[str, Any]] = {
        "frame in five fragments": {"fragments": 5},
        "Basic Offset Table filled": {"offsets": True},
        "Basic Offset Table filled, five fragments": {"offsets": True, "fragments": 5},
        "Extended Offset Table": {"extended": True},
    }
    cases = [
        FileClass(name, "codec", "PS3.5 A.4", encapsulated(film, LOSSLESS_SV1, stream, **options), smooth)
        for name, options in ways.items()
    ]
    wrong = encapsulated(film, LOSSLESS_SV1, stream)
    named = wrong.replace(LOSSLESS_SV1.encode(), EXPLICIT.encode() + b"\0" * 3, 1)
    clipped = _beyond_its_bits()
    return [
        *cases,
        FileClass("compressed, meta information says it is not", FAULTY, "PS3.5 A.4", named, smooth),
        clipped,
    ]


def _beyond_its_bits() -> FileClass:
    """A lossy 12-bit stream of a 10-bit film: what it overshoots is white, not the black of a lost bit."""
    film = np.minimum(_SMOOTH // 4, 1023)
    film[20:, 20:] = 1023
    coded = film.copy()
    coded[24:32, 24:32] += 3  # an error of coding, one block of it
    data = encapsulated(image(film, bits=10), EXTENDED, sequential_jpeg(coded, 12))
    name = "JPEG extended, 12 bits for Bits Stored 10, overshooting"
    return FileClass(name, "codec", "PS3.5 8.2.1", data, film.astype(np.float64), tolerance=2)


def _group(name: str, usual: str) -> str:
    return FAULTY if name.startswith(("no preamble", "meta information")) or "Se 0" in name else usual


def _signed() -> npt.NDArray[np.int16]:
    return (_SMOOTH.astype(np.int32) - 2048).astype(np.int16)


def _encoded(encoder: Any, stored: npt.NDArray[Any], bits: int, **options: object) -> bytes:  # noqa: ANN401 - pydicom's class is not public
    return bytes(
        encoder.encode(
            stored,
            rows=stored.shape[0],
            columns=stored.shape[1],
            samples_per_pixel=1,
            bits_allocated=stored.dtype.itemsize * 8,
            bits_stored=bits,
            pixel_representation=int(stored.dtype.kind == "i"),
            number_of_frames=1,
            photometric_interpretation="MONOCHROME2",
            **options,
        )
    )


def _in_words(stored: npt.NDArray[np.uint8]) -> Any:  # noqa: ANN401
    film = image(stored)
    film["PixelData"].VR = "OW"
    return film
