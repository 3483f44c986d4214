"""Writes pictures of results as Secondary Capture images: the one kind of result that every viewer shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import highdicom
import numpy as np
from pydicom.dataset import Dataset
from pydicom.sr.coding import Code
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage
from pydicom.valuerep import DA, DT, TM

from medcam.core.arrays import ByteArray
from medcam.core.errors import InputError, InvalidValueError
from medcam.dicom.context import SourceContext
from medcam.dicom.errors import converting
from medcam.dicom.quiet import quiet
from medcam.dicom.uids import derived_uid

MANUFACTURER = "medcam"
_SERIES_NUMBER = 9001
_LONG_STRING = 64
_PROCESSING_EQUIPMENT = Code("109102", "DCM", "Processing Equipment")
_SOURCE_IMAGE = Code("121322", "DCM", "Source image for image processing operation")
_CLASS_ACTIVATION = Code("130402", "DCM", "Class activation")


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
        if (
            max(len(self.name), len(self.version), len(self.software)) > _LONG_STRING
            or "\\" in self.name + self.version
        ):
            raise InvalidValueError("an algorithm's name and version have 64 characters at most and no backslash")

    @property
    def software_versions(self) -> list[str]:
        """Values of Software Versions (0018,1020)."""
        return [f"{self.name} {self.version}"[:_LONG_STRING], *([f"medcam {self.software}"] if self.software else [])]


def write_secondary_capture(
    rgb: ByteArray,
    source: SourceContext,
    algorithm: AlgorithmIdentity,
    *,
    created: datetime,
    title: str = "Class activation maps (research use)",
    derivation: str = "Class activation maps drawn over the radiograph. Research use, not a medical device.",
    instance_number: int = 1,
) -> Dataset:
    """Builds a Secondary Capture image in the source's study, in a series of its own.

    The series' and the instance's UIDs are derived from the source, the model and `instance_number`: writing the same
    result twice makes the same object.

    Args:
        rgb: uint8 [height, width, 3], the picture.
        source: From `read_context`.
        algorithm: The model behind the picture.
        created: When; the only part that differs between two runs.
        title: Series Description, at most 64 characters. The same for all objects of a series.
        derivation: What the picture shows, for Derivation Description (0008,2111).
        instance_number: Number within the series, from 1.

    Returns:
        A data set with file meta information, ready to be saved.

    Raises:
        InvalidValueError: The picture is not uint8 [height, width, 3], or a text is too long.
        InputError: The source's attributes do not allow a valid object.
    """
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or 0 in rgb.shape:
        raise InvalidValueError("a secondary capture needs uint8 pixels [height, width, 3]")
    if not title or len(title) > _LONG_STRING or instance_number < 1:
        raise InvalidValueError("a series needs a title of 64 characters at most, an instance a positive number")
    with quiet(), converting("the secondary capture cannot be written", InputError, "unwritable"):
        capture = _capture(np.ascontiguousarray(rgb), source, algorithm, title, instance_number)
        source.inherit(capture)
        _add_image_attributes(capture, source, algorithm, derivation)
        _set_dates(capture, created)
        return capture


def _capture(
    rgb: ByteArray, source: SourceContext, algorithm: AlgorithmIdentity, title: str, instance_number: int
) -> Dataset:
    made_by = (algorithm.name, algorithm.version, algorithm.weights_sha256)
    identity = source.identity
    return highdicom.sc.SCImage(
        pixel_array=rgb,
        photometric_interpretation="RGB",
        bits_allocated=8,
        coordinate_system="PATIENT",
        patient_orientation=("L", "F"),  # replaced by the source's own below
        study_instance_uid=identity.study_instance_uid,
        series_instance_uid=derived_uid(
            "sc-series", identity.study_instance_uid, identity.series_instance_uid, title, *made_by
        ),
        sop_instance_uid=derived_uid("sc", identity.sop_instance_uid, source.sha256, str(instance_number), *made_by),
        series_number=_SERIES_NUMBER,
        instance_number=instance_number,
        series_description=title,
        manufacturer=MANUFACTURER,
        manufacturer_model_name=algorithm.name,
        software_versions=tuple(algorithm.software_versions),
        transfer_syntax_uid=ExplicitVRLittleEndian,
        contributing_equipment=[
            highdicom.ContributingEquipment(
                manufacturer=MANUFACTURER,
                purpose_of_reference=_PROCESSING_EQUIPMENT,
                manufacturer_model_name=algorithm.name,
                software_versions=algorithm.software_versions,
            )
        ],
    )


def _add_image_attributes(
    capture: Dataset, source: SourceContext, algorithm: AlgorithmIdentity, derivation: str
) -> None:
    inherited = source.dataset
    capture.ImageType = ["DERIVED", "SECONDARY", "OTHER"]
    capture.PatientOrientation = inherited.get("PatientOrientation")  # empty where unknown, never absent
    if inherited.get("BodyPartExamined") == "CHEST" and "Laterality" not in inherited:
        capture.BodyPartExamined = "CHEST"
    else:  # required unless the body part is known to be unpaired; empty means unknown (PS3.3 C.7.3.1)
        capture.Laterality = inherited.get("Laterality", "")
    digest = f" Weights SHA-256 {algorithm.weights_sha256}." if algorithm.weights_sha256 else ""
    capture.DerivationDescription = f"{derivation} Model {algorithm.name} {algorithm.version}.{digest}"[:1024]
    capture.DerivationCodeSequence = [_code_item(_CLASS_ACTIVATION)]
    capture.SourceImageSequence = [_reference(source)]
    # Burned-in annotation means text that tells the patient: the picture adds none, the source may bring some.
    capture.BurnedInAnnotation = "YES" if inherited.get("BurnedInAnnotation") == "YES" else "NO"
    if inherited.get("LossyImageCompression") == "01":
        capture.LossyImageCompression = "01"
        for keyword in ("LossyImageCompressionRatio", "LossyImageCompressionMethod"):
            if keyword in inherited:
                setattr(capture, keyword, inherited[keyword].value)


def _reference(source: SourceContext) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = source.identity.sop_class_uid or SecondaryCaptureImageStorage
    item.ReferencedSOPInstanceUID = source.identity.sop_instance_uid
    item.PurposeOfReferenceCodeSequence = [_code_item(_SOURCE_IMAGE)]
    return item


def _code_item(code: Code) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = code.value, code.scheme_designator, code.meaning
    return item


def _set_dates(capture: Dataset, created: datetime) -> None:
    day, time = DA(created.date()), TM(created.time().replace(tzinfo=None))
    for prefix in ("InstanceCreation", "Content"):
        setattr(capture, f"{prefix}Date", day)
        setattr(capture, f"{prefix}Time", time)
    capture.DateOfSecondaryCapture, capture.TimeOfSecondaryCapture = day, time
    for equipment in capture.ContributingEquipmentSequence:
        equipment.ContributionDateTime = DT(created.replace(tzinfo=None))
