"""What the writers need to know of a source image: patient, study and reference, without its pixels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from pydicom.config import RAISE
from pydicom.datadict import dictionary_VR
from pydicom.dataset import Dataset
from pydicom.valuerep import validate_value

from medcam.core.radiograph import Identity
from medcam.dicom.description import refuse_other_objects
from medcam.dicom.errors import LIBRARY_ERRORS, converting
from medcam.dicom.header import Header
from medcam.dicom.quiet import quiet
from medcam.dicom.radiograph import identity_of
from medcam.dicom.read import read_file

_PATIENT_AND_STUDY = (
    "PatientName",
    "PatientID",
    "IssuerOfPatientID",
    "PatientBirthDate",
    "PatientSex",
    "PatientAge",
    "PatientSize",
    "PatientWeight",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "StudyDescription",
    "AccessionNumber",
    "ReferringPhysicianName",
)
_IMAGE = (
    "PatientOrientation",
    "Laterality",
    "ImageLaterality",
    "BodyPartExamined",
    "BurnedInAnnotation",
    "LossyImageCompression",
    "LossyImageCompressionRatio",
    "LossyImageCompressionMethod",
)
_ENUMERATED = {
    "PatientSex": ("M", "F", "O"),
    "Laterality": ("R", "L"),
    "BurnedInAnnotation": ("YES", "NO"),
    "LossyImageCompression": ("00", "01"),
}


@dataclass(frozen=True, eq=False)
class SourceContext:
    """A source image's patient, study and identity.

    Args:
        identity: UIDs, missing ones derived as in `load_radiograph`.
        rows: Rows of the source.
        columns: Columns of the source.
        sha256: Digest of the source's bytes.
        dataset: The attributes that derived objects inherit. Values that are not valid for their VR are left out, so
            that a source's fault does not become the derived object's. Patient data: never log it.
        display: Polarity, Modality LUT and display window as the file has them; empty where they contradict each other.
    """

    identity: Identity
    rows: int
    columns: int
    sha256: str
    dataset: Dataset = field(repr=False)
    display: Dataset = field(default_factory=Dataset, repr=False)

    def inherit(self, target: Dataset) -> None:
        """Puts the patient's and the study's attributes into a derived object of the same study."""
        target.SpecificCharacterSet = "ISO_IR 192"
        target.StudyInstanceUID = self.identity.study_instance_uid
        for keyword in _PATIENT_AND_STUDY:
            if keyword in self.dataset:
                setattr(target, keyword, self.dataset[keyword].value)


def read_context(path: Path | str) -> SourceContext:
    """Reads a source file's context.

    Raises:
        NotAnImageError: It is no image.
        InputError: It cannot be read.
    """
    source = read_file(path)
    return context_from_dataset(source.dataset, sha256=source.sha256)


def context_from_dataset(dataset: Dataset, *, sha256: str) -> SourceContext:
    """The context of a data set in memory, which is left as it is.

    Args:
        dataset: An image.
        sha256: Digest of the file it came from.

    Raises:
        NotAnImageError: It is no image.
        InputError: Its attributes cannot be read.
    """
    with quiet(), converting("the DICOM object cannot be read"):
        header = Header(dataset)
        refuse_other_objects(header)
        return SourceContext(
            identity=identity_of(header, sha256),
            rows=header.integer("Rows") or 0,
            columns=header.integer("Columns") or 0,
            sha256=sha256,
            dataset=_inherited(header, (*_PATIENT_AND_STUDY, *_IMAGE)),
            display=_display(header),
        )


def _inherited(header: Header, keywords: Iterable[str]) -> Dataset:
    inherited = Dataset()
    for keyword in keywords:
        values = header.texts(keyword)
        if values and _is_valid(keyword, values):
            setattr(inherited, keyword, list(values) if len(values) > 1 else values[0])
    return inherited


def _display(header: Header) -> Dataset:
    """Attributes of the grey-scale pipeline; those of a window only where centre and width agree in number."""
    display = _inherited(header, ("PhotometricInterpretation", "PresentationLUTShape"))
    display.SamplesPerPixel = header.integer("SamplesPerPixel") or 1
    for keyword in ("ModalityLUTSequence", "VOILUTSequence"):
        tables = header.items(keyword)
        if tables:
            setattr(display, keyword, [_table(tables[0])])
    slope, intercept = header.number("RescaleSlope"), header.number("RescaleIntercept")
    if "ModalityLUTSequence" not in display and slope and intercept is not None:
        display.RescaleSlope, display.RescaleIntercept = slope, intercept
        display.RescaleType = header.text("RescaleType") or "US"
    centers, widths = header.numbers("WindowCenter"), header.numbers("WindowWidth")
    if "VOILUTSequence" not in display and centers and widths and min(widths[0], 1) > 0:
        display.WindowCenter, display.WindowWidth = centers[0], widths[0]
        function = header.token("VOILUTFunction")
        if function in ("LINEAR", "LINEAR_EXACT", "SIGMOID"):
            display.VOILUTFunction = function
    return display


def _table(item: Header) -> Dataset:
    """A lookup table with its entries as words, in whichever of the two ways they were stored (PS3.3 C.11.1.1)."""
    table = Dataset()
    table.update(item.dataset)
    entries = item.values("LUTData")
    if len(entries) > 1:
        table.add_new("LUTData", "OW", np.array([int(str(entry)) for entry in entries]).astype("<u2").tobytes())
    return table


def _is_valid(keyword: str, values: tuple[str, ...]) -> bool:
    if keyword in _ENUMERATED and values[0] not in _ENUMERATED[keyword]:
        return False
    vr = dictionary_VR(keyword)
    try:
        for value in values:
            validate_value(vr, value, RAISE)
    except LIBRARY_ERRORS:
        return False
    return True
