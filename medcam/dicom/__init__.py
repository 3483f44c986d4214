"""Finds, reads and writes DICOM. The only package that knows pydicom and highdicom.

Names are loaded when they are first used: a process that only reads pays for no writer.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from medcam.dicom.chest import Answer, Verdict, frontal_chest
    from medcam.dicom.context import SourceContext, context_from_dataset, read_context
    from medcam.dicom.derived import AlgorithmIdentity, Making
    from medcam.dicom.dx import Codec, DxAttributes, save_dx, write_dx
    from medcam.dicom.errors import BrokenDicomError, NotDicomError, PixelDataError
    from medcam.dicom.key_objects import write_key_objects
    from medcam.dicom.presentation import Mark, write_presentation
    from medcam.dicom.radiograph import load_radiograph, radiograph_from_dataset
    from medcam.dicom.save import encode_dataset, save_dataset, save_encoded
    from medcam.dicom.secondary_capture import write_secondary_capture
    from medcam.dicom.segmentation import Segment, write_maps, write_regions
    from medcam.dicom.sources import find_sources
    from medcam.dicom.structured_report import read_record, write_report
    from medcam.dicom.uids import derived_uid, is_valid_uid

__all__ = [
    "AlgorithmIdentity",
    "Answer",
    "BrokenDicomError",
    "Codec",
    "Dataset",
    "DxAttributes",
    "Making",
    "Mark",
    "NotDicomError",
    "PixelDataError",
    "Segment",
    "SourceContext",
    "Verdict",
    "context_from_dataset",
    "derived_uid",
    "encode_dataset",
    "find_sources",
    "frontal_chest",
    "is_valid_uid",
    "load_radiograph",
    "radiograph_from_dataset",
    "read_context",
    "read_record",
    "save_dataset",
    "save_dx",
    "save_encoded",
    "write_dx",
    "write_key_objects",
    "write_maps",
    "write_presentation",
    "write_regions",
    "write_report",
    "write_secondary_capture",
]

_HOMES = {
    "pydicom.dataset": ("Dataset",),
    "medcam.dicom.chest": ("Answer", "Verdict", "frontal_chest"),
    "medcam.dicom.context": ("SourceContext", "context_from_dataset", "read_context"),
    "medcam.dicom.derived": ("AlgorithmIdentity", "Making"),
    "medcam.dicom.dx": ("Codec", "DxAttributes", "save_dx", "write_dx"),
    "medcam.dicom.errors": ("BrokenDicomError", "NotDicomError", "PixelDataError"),
    "medcam.dicom.key_objects": ("write_key_objects",),
    "medcam.dicom.presentation": ("Mark", "write_presentation"),
    "medcam.dicom.radiograph": ("load_radiograph", "radiograph_from_dataset"),
    "medcam.dicom.save": ("encode_dataset", "save_dataset", "save_encoded"),
    "medcam.dicom.secondary_capture": ("write_secondary_capture",),
    "medcam.dicom.segmentation": ("Segment", "write_maps", "write_regions"),
    "medcam.dicom.sources": ("find_sources",),
    "medcam.dicom.structured_report": ("read_record", "write_report"),
    "medcam.dicom.uids": ("derived_uid", "is_valid_uid"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module 'medcam.dicom' has no attribute {name!r}")
    value: object = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
