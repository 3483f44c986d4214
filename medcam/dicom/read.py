"""From a file to a DICOM data set: whole, within limits, or not at all."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import pydicom
from pydicom.dataset import Dataset, FileDataset

from medcam.core.errors import InputError
from medcam.dicom.errors import BrokenDicomError, NotDicomError, PixelDataError, converting
from medcam.dicom.nesting import MOST_ELEMENTS, check_nesting
from medcam.dicom.part10 import well_formed
from medcam.dicom.quiet import quiet

DICOM_SUFFIXES = frozenset((".dcm", ".dicom", ".dic", ".ima"))
LARGEST_FILE = 2 << 30
"""Bytes. A radiograph of 200 megapixels at 16 bits takes 400 MB."""

_PIXEL_DATA_TAGS = (b"\xe0\x7f\x10\x00", b"\x7f\xe0\x00\x10")
_PIXEL_KEYWORDS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")


@dataclass(frozen=True, eq=False)
class SourceFile:
    """A parsed file.

    Args:
        dataset: All its attributes, pixel data included and still encoded.
        sha256: Digest of the file's bytes as they lie on disk.
    """

    dataset: FileDataset = field(repr=False)
    sha256: str


def read_file(path: Path | str) -> SourceFile:
    """Reads and parses a DICOM file, with or without preamble and file meta information.

    Args:
        path: The file.

    Raises:
        NotDicomError: It is no DICOM and does not claim to be (code `not-dicom`); a batch skips it.
        InputError: It cannot be read (`unreadable`), is empty (`empty-file`), too large (`too-large`), damaged
            (`broken-dicom`), cut short (`truncated-pixel-data`), or named like DICOM without being it (`not-dicom`).
    """
    return read_bytes(file_bytes(Path(path)), Path(path).name)


def file_bytes(path: Path) -> bytes:
    """The bytes of a file, unparsed.

    Raises:
        InputError: It cannot be read, is no regular file (`unreadable`) or too large (`too-large`).
    """
    with converting("the file cannot be read"):
        if path.exists() and not path.is_file():  # reading a pipe or a device would never end
            raise InputError("this is not a regular file")
        if path.stat().st_size > LARGEST_FILE:
            raise InputError("the file is larger than 2 GiB", code="too-large")
        return path.read_bytes()


def read_bytes(data: bytes, name: str) -> SourceFile:
    """Parses the bytes of a whole file.

    Args:
        data: The bytes.
        name: The file's name, whose suffix may claim that it is DICOM.

    Raises:
        NotDicomError: As `read_file`.
        InputError: As `read_file`.
    """
    return SourceFile(parse_named(data, name), hashlib.sha256(data).hexdigest())


def parse_named(data: bytes, name: str) -> FileDataset:
    """Parses the bytes of a whole file whose name is known.

    Args:
        data: The bytes.
        name: The file's name, whose suffix may claim that it is DICOM.

    Raises:
        NotDicomError: As `read_file`.
        InputError: As `read_file`.
    """
    if not data:
        raise InputError("the file is empty", code="empty-file", next_step="Send it again from its source.")
    try:
        return parse(data)
    except NotDicomError as error:
        if PurePosixPath(name).suffix.lower() in DICOM_SUFFIXES:
            raise BrokenDicomError(
                "the file is named like DICOM and does not look like it in any encoding", code="not-dicom"
            ) from error
        raise


def parse(data: bytes, most_elements: int = MOST_ELEMENTS) -> FileDataset:
    """Parses the bytes of a whole file. Its preamble, which may hold anything, a program too, comes out blank.

    Args:
        data: The bytes.
        most_elements: Elements that the file may have.

    Raises:
        NotDicomError: They do not look like DICOM.
        InputError: They do, and are damaged, cut short, nested too deep (`nested-too-deep`) or hold too much
            (`too-many-elements`, `too-large`).
    """
    with quiet(), converting("the DICOM file cannot be parsed", BrokenDicomError):
        whole = well_formed(data)
        check_nesting(whole, most_elements)
        dataset = pydicom.dcmread(io.BytesIO(whole))
        dataset.preamble = bytes(128)
    if not has_any_pixels(dataset):
        _refuse_cut_file(dataset, data)
    return dataset


def has_any_pixels(dataset: Dataset) -> bool:
    """Whether a data set carries pixel data of any kind."""
    return any(keyword in dataset for keyword in _PIXEL_KEYWORDS)


def _refuse_cut_file(dataset: Dataset, data: bytes) -> None:
    """Tells why a data set ended before its pixels: the parser drops what the end of the file cuts."""
    if (len(dataset) == 0 or "Rows" in dataset) and any(tag in data for tag in _PIXEL_DATA_TAGS):
        raise PixelDataError("the file ends within its pixel data", code="truncated-pixel-data")
    if len(dataset) == 0:
        raise BrokenDicomError("the file ends within its header, or holds no data set")
