"""GDCM, as it comes inside SimpleITK, for compressed grey frames that pydicom's plug-ins do not decode.

It is given a minimal file in memory with the frame and the numbers that describe its bits, never the source file:
polarity, rescale and tables stay with the pipeline here. The bits are those that the stream itself states. GDCM keeps
the lowest bits of what a lossy stream overshoots, so that a file which says ten for a stream of twelve gets black
specks in its whitest parts.
"""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
)

from medcam.dicom.codestream import JpegFrame
from medcam.dicom.description import PixelDescription
from medcam.dicom.errors import PixelDataError, converting
from medcam.dicom.quiet import silent_stderr

GDCM_SYNTAXES = frozenset((JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLossless, JPEGLosslessSV1))
"""Transfer syntaxes that are handed to GDCM, each tried on streams of known content."""

_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
_ANY_UID = "1.2.826.0.1.3680043.8.498.1"


def decode_with_gdcm(
    stream: bytes, frame: JpegFrame, description: PixelDescription, syntax: UID
) -> npt.NDArray[np.unsignedinteger[Any]]:
    """Decodes one grey JPEG frame.

    Args:
        stream: The frame, its fragments joined.
        frame: What its own header says.
        description: What the data set says; its size has been compared with the frame's.
        syntax: One of `GDCM_SYNTAXES`.

    Returns:
        Unsigned [rows, columns] in the container that Bits Allocated asks for.

    Raises:
        PixelDataError: GDCM does not decode it either (`undecodable`).
    """
    import SimpleITK as sitk  # it takes a fifth of a second, and few files need it

    data = _file_around(stream, frame, syntax)
    with converting("the pixel data cannot be decoded", PixelDataError), silent_stderr(), _as_path(data) as path:
        sitk.ProcessObject.SetGlobalWarningDisplay(False)
        reader = sitk.ImageFileReader()
        reader.SetImageIO("GDCMImageIO")
        reader.SetFileName(path)
        values = sitk.GetArrayFromImage(reader.Execute())
    if values.shape != (1, description.rows, description.columns) or values.dtype.kind != "u":
        raise PixelDataError("the decoded image has another size or type than its header says")
    return np.ascontiguousarray(values[0].astype(f"u{description.bits_allocated // 8}"))


def _file_around(stream: bytes, frame: JpegFrame, syntax: UID) -> bytes:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = UID(_SECONDARY_CAPTURE)
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = UID(_ANY_UID)
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = frame.rows, frame.columns, 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated = 8 if frame.precision <= 8 else 16
    dataset.BitsStored, dataset.HighBit = frame.precision, frame.precision - 1
    dataset.PixelRepresentation = 0
    dataset.PixelData = encapsulate([stream])
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


@contextmanager
def _as_path(data: bytes) -> Iterator[str]:
    """A path to read the bytes from: in memory where the system can, since pixels have no place on a disk."""
    if not hasattr(os, "memfd_create"):
        with tempfile.NamedTemporaryFile(suffix=".dcm") as file:
            file.write(data)
            file.flush()
            yield file.name
        return
    with os.fdopen(os.memfd_create("frame"), "wb") as file:
        file.write(data)
        file.flush()
        yield f"/proc/self/fd/{file.fileno()}"
