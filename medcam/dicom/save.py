"""Puts data sets on disk, whole or not at all."""

from __future__ import annotations

import io
import os
from pathlib import Path

from pydicom.dataset import Dataset

from medcam.core.errors import InputError
from medcam.dicom.errors import converting
from medcam.dicom.quiet import quiet


def encode_dataset(dataset: Dataset) -> bytes:
    """A data set as the bytes of a DICOM Part 10 file.

    Args:
        dataset: With file meta information.

    Raises:
        InputError: It cannot be encoded (code `unwritable`).
    """
    with quiet(), converting("the DICOM object cannot be written", InputError, "unwritable"):
        buffer = io.BytesIO()
        dataset.save_as(buffer, enforce_file_format=True)
        return buffer.getvalue()


def save_encoded(path: Path | str, data: bytes) -> None:
    """Writes what `encode_dataset` made.

    The bytes are complete before the file gets its name, so that a killed process leaves no half a file behind.

    Args:
        path: Where to; its folder must exist.
        data: The bytes.

    Raises:
        InputError: The disk refuses it (code `unwritable`).
    """
    path = Path(path)
    with converting("the DICOM object cannot be written", InputError, "unwritable"):
        partial = path.with_name(f".{path.name}.{os.getpid()}.part")
        partial.write_bytes(data)
        partial.replace(path)


def save_dataset(path: Path | str, dataset: Dataset) -> None:
    """Writes a data set as a DICOM Part 10 file, whole or not at all.

    Args:
        path: Where to; its folder must exist.
        dataset: With file meta information.

    Raises:
        InputError: It cannot be encoded, or the disk refuses it (code `unwritable`).
    """
    save_encoded(path, encode_dataset(dataset))
