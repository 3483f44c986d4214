"""Finds, reads and writes DICOM. The only package that knows pydicom and highdicom."""

from pydicom.dataset import Dataset

from medcam.dicom.chest import Answer, Verdict, frontal_chest
from medcam.dicom.context import SourceContext, context_from_dataset, read_context
from medcam.dicom.derived import AlgorithmIdentity, Making
from medcam.dicom.dx import Codec, DxAttributes, save_dx, write_dx
from medcam.dicom.errors import BrokenDicomError, NotDicomError, PixelDataError
from medcam.dicom.key_objects import write_key_objects
from medcam.dicom.presentation import Mark, write_presentation
from medcam.dicom.radiograph import load_radiograph, radiograph_from_dataset
from medcam.dicom.save import save_dataset
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
    "find_sources",
    "frontal_chest",
    "is_valid_uid",
    "load_radiograph",
    "radiograph_from_dataset",
    "read_context",
    "read_record",
    "save_dataset",
    "save_dx",
    "write_dx",
    "write_key_objects",
    "write_maps",
    "write_presentation",
    "write_regions",
    "write_report",
    "write_secondary_capture",
]
