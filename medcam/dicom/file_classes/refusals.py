"""Classes that no reader can turn into one film without a guess."""

from __future__ import annotations

import struct

import numpy as np
from pydicom.dataset import Dataset

from medcam.dicom.file_classes.build import RAMP, encapsulated, file_of, image
from medcam.dicom.file_classes.case import FileClass
from medcam.dicom.file_classes.encodings import EXTENDED, LOSSLESS_SV1
from medcam.dicom.file_classes.jpeg import lossless_jpeg

MPEG2 = "1.2.840.10008.1.2.4.100"


def refusals() -> list[FileClass]:
    """Files that must be refused, each with the code."""
    stream = lossless_jpeg(RAMP, 12)
    film = file_of(image(RAMP, bits=12))
    kinds: dict[str, tuple[bytes, str]] = {
        "floating point pixels": (file_of(_floats()), "unsupported-pixel-format"),
        "64 bits allocated": (
            file_of(image(RAMP, BitsAllocated=64, BitsStored=12, HighBit=11, PixelData=bytes(RAMP.size * 8))),
            "unsupported-pixel-format",
        ),
        "two frames": (
            file_of(image(RAMP, bits=12, NumberOfFrames=2, PixelData=RAMP.tobytes() * 2)),
            "multi-frame",
        ),
        "two frames that are one": (file_of(image(RAMP, bits=12, NumberOfFrames=2)), "frame-count-mismatch"),
        "pixels cut short": (film[:-20], "truncated-pixel-data"),
        "compressed pixels cut short": (
            encapsulated(image(RAMP, bits=12), LOSSLESS_SV1, stream[: len(stream) // 2]),
            "truncated-pixel-data",
        ),
        "unknown photometric interpretation": (
            file_of(image(RAMP, bits=12, PhotometricInterpretation="HSV")),
            "unsupported-photometric",
        ),
        "Bits Stored beyond Bits Allocated": (
            file_of(image(RAMP, bits=12, BitsStored=17, HighBit=16)),
            "invalid-attribute",
        ),
        "Rows missing": (file_of(image(RAMP, bits=12, Rows=None)), "invalid-attribute"),
        "MPEG2": (encapsulated(image(RAMP, bits=12), MPEG2, b"\0\0\1\xb3" + bytes(30)), "unsupported-transfer-syntax"),
        "a stream of another size": (
            encapsulated(image(RAMP, bits=12, Rows=2), LOSSLESS_SV1, stream),
            "undecodable",
        ),
        "an extended JPEG of noise": (
            encapsulated(image(RAMP, bits=12), EXTENDED, _noise()),
            "undecodable",
        ),
    }
    return [
        FileClass(name, "refused", "what is not certain is refused", data, refused=code)
        for name, (data, code) in kinds.items()
    ]


def _floats() -> Dataset:
    film = image(RAMP, bits=12, PixelData=None, BitsAllocated=32, BitsStored=None, HighBit=None)
    film.add_new("FloatPixelData", "OF", RAMP.astype("<f4").tobytes())
    return film


def _noise() -> bytes:
    """Marker, frame header of the right size, and then nothing that makes sense."""
    frame = struct.pack(">BBHBHHB", 0xFF, 0xC1, 11, 12, *RAMP.shape, 1) + bytes((1, 0x11, 0))
    noise = np.random.default_rng(1).integers(0, 255, 200).astype(np.uint8).tobytes()
    return b"\xff\xd8" + frame + noise + b"\xff\xd9"
