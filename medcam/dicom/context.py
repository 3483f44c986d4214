"""What the writers need to know of a source image: patient, study and reference, without its pixels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.config import RAISE
from pydicom.datadict import dictionary_VR
from pydicom.dataset import Dataset
from pydicom.valuerep import validate_value

from medcam.core.radiograph import Identity
from medcam.dicom.description import LARGEST_SIDE, refuse_other_objects
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
_DISPLAY = (
    "PhotometricInterpretation",
    "PresentationLUTShape",
    "SamplesPerPixel",
    "ModalityLUTSequence",
    "VOILUTSequence",
    "RescaleSlope",
    "RescaleIntercept",
    "RescaleType",
    "WindowCenter",
    "WindowWidth",
    "VOILUTFunction",
)
_TABLE = ("LUTExplanation", "ModalityLUTType")
CARRIED = frozenset((*_PATIENT_AND_STUDY, *_IMAGE, *_DISPLAY, *_TABLE, "LUTDescriptor", "LUTData"))
"""Keywords of all attributes that a context may hold."""

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
        rows: Rows of the source; 0 where the file does not say, or says what cannot be.
        columns: Columns of the source, likewise.
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

    def attributes(self) -> dict[str, str | list[str]]:
        """The patient's, the study's and the image's attributes as texts by keyword. Patient data: never log them."""
        found: dict[str, str | list[str]] = {}
        for element in self.dataset:
            value = element.value
            found[element.keyword] = [str(one) for one in value] if element.VM > 1 else str(value)
        return found

    def __reduce__(self) -> tuple[Any, ...]:
        """Travels between processes as its record: pydicom's own value of a LUT Descriptor cannot be pickled."""
        from medcam.dicom.sandbox.context_record import context_from_record, context_to_record

        return context_from_record, (context_to_record(self), self.sha256)


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
            rows=_side(header, "Rows"),
            columns=_side(header, "Columns"),
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
        table = next(map(_table, header.items(keyword)), None)
        if table is not None:
            setattr(display, keyword, [table])
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


def _table(item: Header) -> Dataset | None:
    """A lookup table with its entries as words, in whichever of the two ways they were stored (PS3.3 C.11.1.1).

    None where its descriptor is not three whole numbers: reading ignores or refuses such a table too.
    """
    descriptor = [int(number) for number in item.numbers("LUTDescriptor") if abs(number) < 1 << 16]
    if len(descriptor) != 3:
        return None
    table = _inherited(item, _TABLE)
    table.add_new("LUTDescriptor", "SS" if min(descriptor) < 0 else "US", descriptor)
    entries = item.values("LUTData")
    if len(entries) == 1 and isinstance(entries[0], bytes | bytearray):
        words = bytes(entries[0])
    else:
        numbers = np.array(item.numbers("LUTData"), dtype=np.int64)
        words = (numbers % (1 << 16)).astype("<u2").tobytes()
    table.add_new("LUTData", "OW", words)
    return table


def _side(header: Header, keyword: str) -> int:
    value = header.integer(keyword) or 0
    return value if 0 < value <= LARGEST_SIDE else 0


def _is_valid(keyword: str, values: tuple[str, ...]) -> bool:
    if keyword in _ENUMERATED and values[0] not in _ENUMERATED[keyword]:
        return False
    return is_valid_value(dictionary_VR(keyword), values)


def is_valid_value(vr: str, values: tuple[str, ...]) -> bool:
    """Whether texts are values of a VR (DICOM PS3.5 section 6.2)."""
    try:
        for value in values:
            validate_value(vr, value, RAISE)
    except LIBRARY_ERRORS:
        return False
    return True
