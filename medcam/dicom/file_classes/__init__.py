"""Classes of radiograph files, made from the standard's text: what a reader is given and what it must make of it.

The tests hold medcam's own pipeline to them, and `medcam.service.measure.reading_peers` other readers.
"""

from __future__ import annotations

from medcam.dicom.file_classes.case import FileClass
from medcam.dicom.file_classes.colour import colours
from medcam.dicom.file_classes.encodings import codecs, encodings
from medcam.dicom.file_classes.grey_values import bits, padding, polarity
from medcam.dicom.file_classes.modality import modality
from medcam.dicom.file_classes.refusals import refusals
from medcam.dicom.file_classes.voi import tables, windows
from medcam.dicom.quiet import quiet

__all__ = ["FileClass", "file_classes"]


def file_classes() -> tuple[FileClass, ...]:
    """All classes, built anew, by group."""
    makers = (polarity, modality, windows, tables, bits, padding, encodings, codecs, colours, refusals)
    with quiet():  # pydicom warns about what is wrong with these files on purpose
        return tuple(case for make in makers for case in make())
