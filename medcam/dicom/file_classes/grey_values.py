"""Classes whose values differ: polarity, bits, padding."""

from __future__ import annotations

import numpy as np
from pydicom.dataset import Dataset

from medcam.dicom.file_classes.build import DX, RAMP, SIGNED, WIDE, Words, file_of, image
from medcam.dicom.file_classes.case import FileClass
from medcam.dicom.file_classes.encodings import FAULTY
from medcam.dicom.file_classes.formulas import Numbers


def polarity() -> list[FileClass]:
    """MONOCHROME1 and Presentation LUT Shape: one inversion, never two."""
    group, section = "polarity", "PS3.3 C.7.6.3.1.2, C.8.11.3.1.2"
    plain, turned = RAMP.astype(np.float64), 4095.0 - RAMP
    kinds = {
        "MONOCHROME2": ({}, plain),
        "MONOCHROME1": ({"PhotometricInterpretation": "MONOCHROME1"}, turned),
        "MONOCHROME2, IDENTITY": ({"PresentationLUTShape": "IDENTITY"}, plain),
        "MONOCHROME2, INVERSE": ({"PresentationLUTShape": "INVERSE"}, turned),
        "MONOCHROME1, INVERSE (every DX of that kind)": (
            {"PhotometricInterpretation": "MONOCHROME1", "PresentationLUTShape": "INVERSE", "SOPClassUID": DX},
            turned,
        ),
        "MONOCHROME1, IDENTITY (a contradiction)": (
            {"PhotometricInterpretation": "MONOCHROME1", "PresentationLUTShape": "IDENTITY"},
            turned,
        ),
    }
    return [
        FileClass(
            name,
            group,
            section,
            file_of(image(RAMP, bits=12, **attributes)),
            values,
            settled="contradiction" not in name,
        )
        for name, (attributes, values) in kinds.items()
    ]


def bits() -> list[FileClass]:
    """Bits Allocated, Bits Stored, High Bit, sign."""
    plain = RAMP.astype(np.float64)
    unextended = SIGNED.view(np.uint16) & np.uint16(0x0FFF)
    stray = RAMP | (np.arange(RAMP.size, dtype=np.uint16).reshape(RAMP.shape) << np.uint16(12))
    bit = (RAMP > 1500).astype(np.uint8)
    row_of_bits = np.packbits(bit.ravel(), bitorder="little").tobytes()
    kinds: dict[str, tuple[Dataset, Numbers]] = {
        "8 of 8 bits": (image((RAMP // 16).astype(np.uint8)), np.floor(plain / 16)),
        "8 of 8 bits, odd length": (image((RAMP[:, :7] // 16).astype(np.uint8)), np.floor(plain[:, :7] / 16)),
        "10 of 16 bits": (image(RAMP // 4, bits=10), np.floor(plain / 4)),
        "15 of 16 bits": (image(RAMP * 8, bits=15), plain * 8),
        "16 of 16 bits": (image(WIDE), WIDE.astype(np.float64)),
        "20 of 32 bits": (image(RAMP.astype(np.uint32) * 256, bits=20), plain * 256),
        "signed 12 of 16 bits": (image(SIGNED, bits=12), SIGNED.astype(np.float64)),
        "signed 8 of 8 bits": (image((SIGNED // 16).astype(np.int8)), np.floor(SIGNED / 16.0)),
        "signed 16 of 16 bits, MONOCHROME1": (
            image(SIGNED * 16, PhotometricInterpretation="MONOCHROME1"),
            -1.0 - SIGNED * 16.0,
        ),
        "signed, sign not extended": (image(unextended, bits=12, PixelRepresentation=1), SIGNED.astype(np.float64)),
        "stray bits above Bits Stored": (image(stray, bits=12), plain),
        "High Bit 15, Bits Stored 12": (image(RAMP << np.uint16(4), bits=12, HighBit=15), plain),
        "High Bit 15, stray bits below": (image((RAMP << np.uint16(4)) | np.uint16(9), bits=12, HighBit=15), plain),
        "overlay in an unused bit": (
            _with_overlay(image(RAMP | ((RAMP > 2000).astype(np.uint16) << np.uint16(15)), bits=12), bit=15),
            plain,
        ),
        "overlay of its own (60xx)": (_with_overlay(image(RAMP, bits=12)), plain),
        "1 of 1 bit": (
            image(
                bit, BitsAllocated=1, BitsStored=1, HighBit=0, PixelData=row_of_bits + b"\0" * (len(row_of_bits) % 2)
            ),
            bit.astype(np.float64),
        ),
        "Pixel Representation missing": (image(RAMP, bits=12, PixelRepresentation=None), plain),
        "High Bit missing": (image(RAMP, bits=12, HighBit=None), plain),
        "Bits Stored missing": (image(RAMP * 16, BitsStored=None, HighBit=None), plain * 16),
        "Photometric Interpretation missing": (image(RAMP, bits=12, PhotometricInterpretation=None), plain),
    }
    return [
        FileClass(name, FAULTY if "missing" in name else "bits", "PS3.5 8.1.1, 8.2", file_of(film), values)
        for name, (film, values) in kinds.items()
    ]


def padding() -> list[FileClass]:
    """Pixel Padding Value and Range Limit: padding is neither the brightest nor the darkest of the film."""
    group, section = "padding", "PS3.3 C.7.5.1.1.2"
    frame = np.pad(RAMP // 2 + np.uint16(100), 2)
    inside = np.pad(np.ones(RAMP.shape, dtype=bool), 2)
    white = np.where(inside, frame, np.uint16(4095))
    ranged = np.where(inside, frame, (np.arange(frame.size, dtype=np.uint16) % 9).reshape(frame.shape))
    kinds: dict[str, tuple[Dataset, Numbers]] = {
        "padding, MONOCHROME2": (_padded(frame, 0), frame.astype(np.float64)),
        "padding, MONOCHROME1": (_padded(white, 4095, PhotometricInterpretation="MONOCHROME1"), 4095.0 - white),
        "padding black, MONOCHROME1": (_padded(frame, 0, PhotometricInterpretation="MONOCHROME1"), 4095.0 - frame),
        "padding range": (_padded(ranged, 0, limit=8), ranged.astype(np.float64)),
        "padding range, MONOCHROME1": (
            _padded(ranged, 8, limit=0, PhotometricInterpretation="MONOCHROME1"),
            4095.0 - ranged,
        ),
        "padding, High Bit 15, stray bits below": (
            _padded((frame << np.uint16(4)) | np.uint16(9), 0, HighBit=15),
            frame.astype(np.float64),
        ),
        "padding beyond Bits Stored": (
            _padded(np.where(inside, frame, np.uint16(0xF000)), 0xF000),
            frame.astype(np.float64),
        ),
        "padding and rescale": (_padded(frame, 0, RescaleSlope="-2", RescaleIntercept="9000"), 9000 - 2.0 * frame),
    }
    return [
        FileClass(name, group, section, file_of(film), np.where(inside, values, values[inside].min()), padding=~inside)
        for name, (film, values) in kinds.items()
    ]


def _padded(stored: Words, value: int, limit: int | None = None, **attributes: object) -> Dataset:
    film = image(stored, bits=12, **attributes)
    film.add_new("PixelPaddingValue", "US", value)
    if limit is not None:
        film.add_new("PixelPaddingRangeLimit", "US", limit)
    return film


def _with_overlay(film: Dataset, bit: int = 0) -> Dataset:
    """Adds an overlay plane: in a bit of the pixels' own words, or, for bit 0, with data of its own."""
    rows, columns = RAMP.shape
    film.add_new(0x60000010, "US", rows)
    film.add_new(0x60000011, "US", columns)
    film.add_new(0x60000040, "CS", "G")
    film.add_new(0x60000050, "SS", [1, 1])
    film.add_new(0x60000100, "US", 16 if bit else 1)
    film.add_new(0x60000102, "US", bit)
    if not bit:
        film.add_new(0x60003000, "OW", b"\xff" * (rows * columns // 8 + rows * columns // 8 % 2))
    return film
