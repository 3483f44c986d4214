"""What all objects that hold results have in common: who made them, of what, when, and which UIDs they get."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import highdicom
from pydicom.dataset import Dataset
from pydicom.sr.coding import Code
from pydicom.uid import SecondaryCaptureImageStorage
from pydicom.valuerep import DA, DT, TM

from medcam.core.errors import InvalidValueError
from medcam.dicom.context import SourceContext
from medcam.dicom.uids import derived_uid

MANUFACTURER = "medcam"
LONG_STRING = 64
_PROCESSING_EQUIPMENT = Code("109102", "DCM", "Processing Equipment")
_SOURCE_IMAGE = Code("121322", "DCM", "Source image for image processing operation")


@dataclass(frozen=True, slots=True)
class AlgorithmIdentity:
    """Which model made a result.

    Args:
        name: The model's name; becomes Manufacturer's Model Name of the contributing equipment.
        version: The weights' version; becomes its Software Versions, with medcam's own.
        weights_sha256: Digest of the weights; part of the derived UIDs and of the Derivation Description.
        software: medcam's version.
    """

    name: str
    version: str
    weights_sha256: str = ""
    software: str = ""

    def __post_init__(self) -> None:
        if not self.name or not self.version:
            raise InvalidValueError("an algorithm needs a name and a version")
        if max(len(self.name), len(self.version), len(self.software)) > LONG_STRING or "\\" in self.name + self.version:
            raise InvalidValueError("an algorithm's name and version have 64 characters at most and no backslash")

    @property
    def software_versions(self) -> list[str]:
        """Values of Software Versions (0018,1020)."""
        return [f"{self.name} {self.version}"[:LONG_STRING], *([f"medcam {self.software}"] if self.software else [])]

    def contribution(self) -> highdicom.ContributingEquipment:
        """The model as an item of Contributing Equipment Sequence (PS3.3 C.12.1.1.5)."""
        return highdicom.ContributingEquipment(
            manufacturer=MANUFACTURER,
            purpose_of_reference=_PROCESSING_EQUIPMENT,
            manufacturer_model_name=self.name,
            software_versions=self.software_versions,
        )


@dataclass(frozen=True, slots=True)
class Making:
    """One run of a model over one source, as far as the objects that it makes are told apart by it.

    Args:
        source: What was read.
        algorithm: What read it.
        request: Digest of what was asked for (thresholds, options); part of every UID.
        created: When; the same for all objects of the run, so that writing them again gives the same bytes.
    """

    source: SourceContext
    algorithm: AlgorithmIdentity
    request: str
    created: datetime

    def series_uid(self, kind: str) -> str:
        """Series Instance UID of a kind of object: one series per kind, model and source series."""
        identity = self.source.identity
        return derived_uid(f"{kind}-series", identity.study_instance_uid, identity.series_instance_uid, *self._made_by)

    def instance_uid(self, kind: str) -> str:
        """SOP Instance UID of the object of a kind."""
        return derived_uid(
            kind, self.source.identity.sop_instance_uid, self.source.sha256, self.request, *self._made_by
        )

    @property
    def _made_by(self) -> tuple[str, ...]:
        made_by = self.algorithm
        return (made_by.name, made_by.version, made_by.weights_sha256, made_by.software)

    def image(self) -> Dataset:
        """The source as highdicom's constructors want to see it: what they copy, without pixels."""
        image, identity = Dataset(), self.source.identity
        self.source.inherit(image)
        for keyword in ("PatientID", "PatientName", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime"):
            image.setdefault(keyword, "")
        for keyword in ("StudyID", "AccessionNumber", "ReferringPhysicianName"):
            image.setdefault(keyword, "")
        image.SeriesInstanceUID = identity.series_instance_uid
        image.SOPInstanceUID = identity.sop_instance_uid
        image.SOPClassUID = identity.sop_class_uid or SecondaryCaptureImageStorage
        image.Rows, image.Columns = self.source.rows, self.source.columns
        image.Modality = "DX"
        return image

    def complete(self, made: Dataset) -> Dataset:
        """Puts patient, study and dates into an object, in place; its contributing equipment gets the date too."""
        self.source.inherit(made)
        set_dates(made, self.created)
        for equipment in made.ContributingEquipmentSequence:
            equipment.ContributionDateTime = DT(self.created.replace(tzinfo=None))
        return made


def set_dates(made: Dataset, created: datetime) -> None:
    """Sets the instance's and the content's date and time."""
    day, time = DA(created.date()), TM(created.time().replace(tzinfo=None))
    for prefix in ("InstanceCreation", "Content"):
        setattr(made, f"{prefix}Date", day)
        setattr(made, f"{prefix}Time", time)


def source_reference(source: SourceContext) -> Dataset:
    """An item of Source Image Sequence."""
    item = Dataset()
    item.ReferencedSOPClassUID = source.identity.sop_class_uid or SecondaryCaptureImageStorage
    item.ReferencedSOPInstanceUID = source.identity.sop_instance_uid
    item.PurposeOfReferenceCodeSequence = [code_item(_SOURCE_IMAGE)]
    return item


def code_item(code: Code) -> Dataset:
    """A code as an item of a code sequence."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = code.value, code.scheme_designator, code.meaning
    return item
