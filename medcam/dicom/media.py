"""Reads a DICOMDIR: which files a piece of media names (DICOM PS3.3 F, PS3.10 section 8)."""

from __future__ import annotations

from pathlib import Path

from pydicom.dataset import Dataset

from medcam.core.errors import InputError
from medcam.dicom.errors import BrokenDicomError, converting
from medcam.dicom.header import Header
from medcam.dicom.quiet import quiet
from medcam.dicom.read import parse

FILE_NAME = "DICOMDIR"
_DIRECTORY = "1.2.840.10008.1.3.10"
_MOST_RECORDS = 1_000_000
_MOST_ELEMENTS = 10 * _MOST_RECORDS


def is_dicomdir(path: Path) -> bool:
    """Whether a file's name says that it is a DICOMDIR."""
    return path.name.upper() == FILE_NAME


def media_files(path: Path) -> tuple[Path, ...]:
    """The files that a DICOMDIR names, in its order, each once, whether they exist or not.

    Args:
        path: The DICOMDIR.

    Returns:
        Paths below the DICOMDIR's own folder.

    Raises:
        InputError: It cannot be read, is no DICOMDIR (code `broken-dicomdir`), or names a file outside its folder (code
            `unsafe-file-id`).
    """
    with quiet(), converting("the DICOMDIR cannot be read", InputError, "broken-dicomdir"):
        dataset = parse(path.read_bytes(), _MOST_ELEMENTS)
        header = Header(dataset)
        kind = header.text("MediaStorageSOPClassUID") or str(
            getattr(getattr(dataset, "file_meta", Dataset()), "MediaStorageSOPClassUID", "")
        )
        records = header.items("DirectoryRecordSequence")
        if kind != _DIRECTORY and not records:
            raise BrokenDicomError("this is no DICOMDIR", code="broken-dicomdir")
        if len(records) > _MOST_RECORDS:
            raise InputError("the DICOMDIR has more than a million records", code="broken-dicomdir")
        found = dict.fromkeys(
            _inside(path.parent, record.texts("ReferencedFileID"))
            for record in records
            if record.values("ReferencedFileID")
        )
        return tuple(found)


def _inside(folder: Path, parts: tuple[str, ...]) -> Path:
    """The file of a File ID; its components are names (PS3.10 section 8.2), never ways out of the folder."""
    if any(part in ("", ".", "..") or "/" in part or "\0" in part for part in parts):
        raise InputError(
            "the DICOMDIR names a file outside its folder",
            code="unsafe-file-id",
            next_step="Name the folder with the films instead of the DICOMDIR; do not trust this medium.",
        )
    exact = folder.joinpath(*parts)
    if exact.exists():
        return exact
    lower = folder.joinpath(*(part.lower() for part in parts))  # as some systems show a CD's names
    return lower if lower.exists() else exact
