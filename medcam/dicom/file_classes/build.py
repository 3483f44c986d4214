"""DICOM files made attribute by attribute, with nothing of the code that reads them."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

CR = "1.2.840.10008.5.1.4.1.1.1"
DX = "1.2.840.10008.5.1.4.1.1.1.1"
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"

BIG = str(ExplicitVRBigEndian)
EXPLICIT = str(ExplicitVRLittleEndian)
IMPLICIT = str(ImplicitVRLittleEndian)
DEFLATED = "1.2.840.10008.1.2.1.99"

Words = npt.NDArray[np.uint16]

_ROOT = "1.2.826.0.1.3680043.8.498."

RAMP = np.array(
    [
        [0, 1, 2, 1000, 2047, 2048, 4000, 4095],
        [4095, 3, 90, 95, 100, 105, 110, 0],
        [0, 512, 1024, 1536, 2560, 3072, 3584, 4095],
    ],
    dtype=np.uint16,
)
"""Stored values of the usual file: 12 bits, both ends, and not symmetric in any way."""

SIGNED = (RAMP.astype(np.int32) - 2048).astype(np.int16)
"""The same around zero."""

WIDE = np.where(RAMP == 4095, 65535, RAMP * 16).astype(np.uint16)
"""The same over 16 bits."""


def image(stored: npt.NDArray[np.generic], *, bits: int | None = None, **attributes: object) -> Dataset:
    """A data set whose Pixel Data are the bytes of an array, little endian.

    Args:
        stored: [rows, columns] or [rows, columns, 3] integers, as they are to lie in their containers.
        bits: Bits Stored; all of the container by default.
        attributes: Further attributes by keyword, or replacing those made here; None removes one.
    """
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = CR, f"{_ROOT}1"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = f"{_ROOT}2", f"{_ROOT}3"
    dataset.PatientName, dataset.PatientID = "Test^Film", "TEST"
    dataset.Modality = "CR"
    dataset.Rows, dataset.Columns = stored.shape[:2]
    dataset.SamplesPerPixel = 3 if stored.ndim == 3 else 1
    dataset.PhotometricInterpretation = "RGB" if stored.ndim == 3 else "MONOCHROME2"
    if stored.ndim == 3:
        dataset.PlanarConfiguration = 0
    dataset.BitsAllocated = stored.dtype.itemsize * 8
    dataset.BitsStored = bits or dataset.BitsAllocated
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(stored.dtype.kind == "i")
    data = stored.astype(stored.dtype.newbyteorder("<")).tobytes()
    dataset.add_new("PixelData", "OB" if stored.dtype.itemsize == 1 else "OW", data + b"\0" * (len(data) % 2))
    for keyword, value in attributes.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    return dataset


def table(
    entries: Sequence[int], *, first: int = 0, bits: int = 16, vr: str = "US", data_vr: str = "US", packed: bool = False
) -> Dataset:
    """An item of a Modality LUT Sequence or VOI LUT Sequence.

    Args:
        entries: LUT Data; 65536 of them are written as 0 in the descriptor.
        first: First value mapped.
        bits: Bits per entry as the descriptor says.
        vr: Value Representation of the descriptor, US or SS.
        data_vr: That of the data, US or OW.
        packed: Whether entries of eight bits lie two to a word, the first one in its lower half.
    """
    item = Dataset()
    count = len(entries) % 65536
    item.add_new("LUTDescriptor", vr, [count - 65536 if vr == "SS" and count >= 32768 else count, first, bits])
    words = list(entries)
    if packed:
        even = words + [0] * (len(words) % 2)
        words = [low | high << 8 for low, high in zip(even[::2], even[1::2], strict=True)]
    item.add_new("LUTData", data_vr, np.asarray(words, "<u2").tobytes() if data_vr == "OW" else words)
    return item


def file_of(dataset: Dataset, syntax: str = EXPLICIT, *, named: str | None = None) -> bytes:
    """A whole file with preamble and file meta information.

    Args:
        dataset: Its attributes; words of Pixel Data and LUT Data in little endian order.
        syntax: Transfer syntax in which it is written.
        named: The transfer syntax that the meta information claims; the true one by default.
    """
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = UID(dataset.get("SOPClassUID", CR))
    dataset.file_meta.MediaStorageSOPInstanceUID = UID(dataset.get("SOPInstanceUID", f"{_ROOT}1"))
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    if syntax == BIG:
        _swap_words(dataset)
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    data = buffer.getvalue()
    if named is None:
        return data
    old, new = (uid.encode() + b"\0" * (len(uid) % 2) for uid in (syntax, named))
    header = struct.pack("<HH2sH", 0x0002, 0x0010, b"UI", len(old)) + old
    other = struct.pack("<HH2sH", 0x0002, 0x0010, b"UI", len(new)) + new
    return data.replace(header, other, 1)


def bare(dataset: Dataset, syntax: str = IMPLICIT) -> bytes:
    """The data set alone: no preamble, no file meta information, as old archives hold them."""
    if syntax == BIG:
        _swap_words(dataset)
    buffer = io.BytesIO()
    dataset.save_as(buffer, implicit_vr=syntax == IMPLICIT, little_endian=syntax != BIG)
    return buffer.getvalue()


def encapsulated(
    dataset: Dataset,
    syntax: str,
    stream: bytes,
    *,
    fragments: int = 1,
    offsets: bool = False,
    extended: bool = False,
    **attributes: object,
) -> bytes:
    """A whole file with compressed Pixel Data (PS3.5 A.4), items written byte by byte.

    Args:
        dataset: Attributes; its own Pixel Data are replaced.
        syntax: Transfer syntax.
        stream: The frame, compressed.
        fragments: How many items the frame is split into.
        offsets: Whether the Basic Offset Table names the frame's offset, 0, instead of being empty.
        extended: Whether an Extended Offset Table names it.
        attributes: As those of `image`.
    """
    stream += b"\0" * (len(stream) % 2)
    step = -(-len(stream) // fragments)
    step += step % 2
    parts = [stream[start : start + step] for start in range(0, len(stream), step)]
    items = [struct.pack("<L", 0) if offsets else b"", *parts]
    data = b"".join(struct.pack("<HHL", 0xFFFE, 0xE000, len(item)) + item for item in items)
    dataset.add_new("PixelData", "OB", data)
    dataset["PixelData"].is_undefined_length = True
    if extended:
        dataset.ExtendedOffsetTable = struct.pack("<Q", 0)
        dataset.ExtendedOffsetTableLengths = struct.pack("<Q", len(stream))
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    return file_of(dataset, syntax)


def _swap_words(dataset: Dataset) -> None:
    """Turns the words of OW elements (PS3.5 7.3) into big endian order, inside sequences too."""
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value:
                _swap_words(item)
        elif element.VR == "OW":
            size = 4 if element.keyword == "PixelData" and dataset.BitsAllocated == 32 else 2
            element.value = np.frombuffer(element.value, f"<u{size}").byteswap().tobytes()
