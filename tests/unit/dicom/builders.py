"""DICOM files made in memory, one oddity at a time."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels.encoders import JPEG2000LosslessEncoder, JPEGLSLosslessEncoder, RLELosslessEncoder
from pydicom.uid import UID, ExplicitVRLittleEndian

from medcam.core.errors import MedcamError
from medcam.dicom import load_radiograph

CR = "1.2.840.10008.5.1.4.1.1.1"
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"

U16 = np.uint16


def ramp(*values: int, dtype: type = U16) -> np.ndarray:
    """An image of one row."""
    return np.array([values], dtype=dtype)


def image(stored: np.ndarray, *, bits: int | None = None, sop_class: str = CR, **attributes: object) -> Dataset:
    """A grey (or colour, where `stored` has three axes) image whose container holds `stored` as it is."""
    stored = np.asarray(stored)
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = UID(sop_class)
    dataset.file_meta.MediaStorageSOPInstanceUID = UID("1.2.826.0.1.3680043.8.498.1")
    dataset.SOPClassUID = sop_class
    dataset.SOPInstanceUID = "1.2.826.0.1.3680043.8.498.1"
    dataset.StudyInstanceUID = "1.2.826.0.1.3680043.8.498.2"
    dataset.SeriesInstanceUID = "1.2.826.0.1.3680043.8.498.3"
    dataset.PatientID = "TEST"
    dataset.Modality = "CR"
    dataset.Rows, dataset.Columns = stored.shape[:2]
    dataset.SamplesPerPixel = 3 if stored.ndim == 3 else 1
    if stored.ndim == 3:
        dataset.PlanarConfiguration = 0
    dataset.PhotometricInterpretation = "RGB" if stored.ndim == 3 else "MONOCHROME2"
    dataset.BitsAllocated = stored.dtype.itemsize * 8
    dataset.BitsStored = bits or dataset.BitsAllocated
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(stored.dtype.kind == "i")
    data = stored.tobytes()
    dataset.PixelData = data + b"\0" * (len(data) % 2)
    dataset["PixelData"].VR = "OB" if stored.dtype.itemsize == 1 else "OW"
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    return dataset


def table(entries: Sequence[int], *, first: int, bits: int, vr: str = "US", data_vr: str = "US") -> Dataset:
    """An item of a LUT sequence. Eight-bit entries given as OW are packed two to a word."""
    item = Dataset()
    item.add_new("LUTDescriptor", vr, [len(entries) % 65536, first, bits])
    packed = np.asarray(entries, dtype="u1" if bits == 8 else "<u2").tobytes()
    item.add_new("LUTData", data_vr, packed if data_vr == "OW" else list(entries))
    return item


def encoded(dataset: Dataset, *, meta: bool = True, implicit: bool = False, little: bool = True) -> bytes:
    """The bytes of a file, with or without preamble and file meta information."""
    buffer = io.BytesIO()
    if meta:
        dataset.save_as(buffer, enforce_file_format=True)
        return buffer.getvalue()
    bare = Dataset({element.tag: element for element in dataset})
    bare.save_as(buffer, implicit_vr=implicit, little_endian=little)
    return buffer.getvalue()


def with_codec(dataset: Dataset, syntax: str, *frames: bytes) -> Dataset:
    """The data set with encapsulated frames instead of its pixels."""
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    dataset.PixelData = encapsulate(list(frames))
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    return dataset


STORED = (np.arange(48 * 32, dtype=np.uint16).reshape(48, 32) * 2) % 4096
"""Stored values of the usual test film: 12 bits, 48 x 32."""


def film(**attributes: object) -> Dataset:
    return image(STORED, bits=12, **attributes)


def save(folder: Path, data: bytes, name: str = "film.dcm") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def code_of(path: Path) -> str:
    with pytest.raises(MedcamError) as caught:
        load_radiograph(path)
    return caught.value.code


ENCODERS = {
    "1.2.840.10008.1.2.5": RLELosslessEncoder,
    "1.2.840.10008.1.2.4.80": JPEGLSLosslessEncoder,
    "1.2.840.10008.1.2.4.90": JPEG2000LosslessEncoder,
}


def frame(syntax: str, stored: np.ndarray, bits: int) -> bytes:
    return bytes(
        ENCODERS[syntax].encode(
            stored,
            rows=stored.shape[0],
            columns=stored.shape[1],
            samples_per_pixel=1,
            bits_allocated=stored.dtype.itemsize * 8,
            bits_stored=bits,
            pixel_representation=int(stored.dtype.kind == "i"),
            number_of_frames=1,
            photometric_interpretation="MONOCHROME2",
        )
    )
