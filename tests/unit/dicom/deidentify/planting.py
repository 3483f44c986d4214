"""Plants tokens that stand for identifiers, one for each place, and looks for what is left of them."""

from __future__ import annotations

import io
import re
import struct

import pydicom
from pydicom.datadict import DicomDictionary
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from medcam.dicom.deidentify import Profile, Secret, deidentify
from medcam.dicom.read import read_bytes

SECRET = Secret(bytes(range(32)))
TEXT = ("PN", "LO", "SH", "LT", "ST", "UT", "UC", "AE", "UR", "CS")
BYTES = ("OB", "OW", "UN", "OD", "OF", "OL", "OV")
KEEP = {
    *("SOPClassUID", "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"),
    *("SamplesPerPixel", "PhotometricInterpretation", "PixelData", "SpecificCharacterSet", "TransferSyntaxUID"),
    *("BurnedInAnnotation", "NumberOfFrames", "PlanarConfiguration", "PixelPaddingValue", "FloatPixelData"),
    *("DoubleFloatPixelData", "Modality", "LUTData", "PixelPaddingRangeLimit"),
}
"""What a file needs to be read at all, or what is planted in a test of its own."""


class Tokens:
    """Makes tokens and remembers where each one was put."""

    def __init__(self, seed: int = 0) -> None:
        self._letters = "".join("bcdfghjklmnpqrstvwxz"[(seed * 7 + index * 3) % 20] for index in range(3))
        self.places: dict[str, str] = {}

    def new(self, place: str) -> str:
        token = f"Q{self._letters.upper()}{len(self.places):04d}"
        self.places[token] = place
        return token

    def left_in(self, data: bytes) -> set[str]:
        """Places whose tokens stand in bytes, whatever their case and encoding."""
        lower = data.lower()
        narrow = rb"q" + self._letters.encode() + rb"\d{4}"
        wide = rb"\x00".join((b"q", *(letter.encode() for letter in self._letters), *[rb"\d"] * 4))
        hits = [*re.findall(narrow, lower), *(hit.replace(b"\0", b"") for hit in re.findall(wide, lower))]
        return {self.places.get(hit.decode().upper(), hit.decode()) for hit in hits}


def attributes(*vrs: str, retired: bool | None = None) -> list[tuple[int, str, str]]:
    """Tag, VR and keyword of all attributes of the dictionary with one of the VRs."""
    return [
        (tag, vr, keyword)
        for tag, (vr, _, _, is_retired, keyword) in DicomDictionary.items()
        if vr in vrs and keyword not in KEEP and (tag >> 16) > 0x0007 and retired in (None, bool(is_retired))
    ]


def plant_everywhere(dataset: Dataset, tokens: Tokens, where: str = "") -> None:
    """A token in every attribute of a text or byte VR that the dictionary has, retired ones included."""
    for tag, vr, keyword in attributes(*TEXT):
        value = tokens.new(f"{where}{keyword}")
        dataset.add_new(tag, vr, f"{value}^Given" if vr == "PN" else value)
    for tag, vr, keyword in attributes(*BYTES):
        dataset.add_new(tag, vr, tokens.new(f"{where}{keyword}").encode())


def nested(content: Dataset, *keywords: str) -> Dataset:
    """A data set that holds `content` below sequences within sequences."""
    for keyword in reversed(keywords):
        outer = Dataset()
        setattr(outer, keyword, Sequence([content]))
        content = outer
    return content


def written(dataset: Dataset) -> bytes:
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def through(data: bytes, profile: Profile | None = None) -> bytes:
    """The bytes of a file, de-identified."""
    return deidentify(read_bytes(data, "film.dcm").dataset, SECRET, profile or Profile()).data


def parsed(data: bytes) -> Dataset:
    return pydicom.dcmread(io.BytesIO(data))


def element(group: int, number: int, vr: bytes, value: bytes) -> bytes:
    """One element in Explicit VR Little Endian, whatever it may be."""
    value += b"\0" * (len(value) % 2)
    if vr in (b"OB", b"OW", b"UN", b"UT", b"UC", b"UR", b"SQ"):
        return struct.pack("<HH2sHL", group, number, vr, 0, len(value)) + value
    return struct.pack("<HH2sH", group, number, vr, len(value)) + value
