"""Puts data sets on disk, whole or not at all."""

from __future__ import annotations

import io
import os
from pathlib import Path

from pydicom.dataset import Dataset

from medcam.core.errors import InputError
from medcam.dicom.errors import converting
from medcam.dicom.quiet import quiet


def save_dataset(path: Path | str, dataset: Dataset) -> None:
    """Writes a data set as a DICOM Part 10 file.

    The bytes are complete before the file gets its name, so that a killed process leaves no half a file behind.

    Args:
        path: Where to; its folder must exist.
        dataset: With file meta information.

    Raises:
        InputError: It cannot be encoded, or the disk refuses it (code `unwritable`).
    """
    path = Path(path)
    with quiet(), converting("the DICOM object cannot be written", InputError, "unwritable"):
        buffer = io.BytesIO()
        dataset.save_as(buffer, enforce_file_format=True)
        partial = path.with_name(f".{path.name}.{os.getpid()}.part")
        partial.write_bytes(buffer.getvalue())
        partial.replace(path)
