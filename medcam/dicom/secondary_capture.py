"""Writes pictures of results as Secondary Capture images: the one kind of result that every viewer shows."""

from __future__ import annotations

import highdicom
import numpy as np
from pydicom.dataset import Dataset
from pydicom.sr.coding import Code
from pydicom.uid import ExplicitVRLittleEndian

from medcam.core.arrays import ByteArray
from medcam.core.errors import InputError, InvalidValueError
from medcam.dicom.derived import LONG_STRING, MANUFACTURER, Making, code_item, source_reference
from medcam.dicom.errors import converting
from medcam.dicom.quiet import quiet

_SERIES_NUMBER = 9001
_CLASS_ACTIVATION = Code("130402", "DCM", "Class activation")


def write_secondary_capture(
    rgb: ByteArray,
    making: Making,
    *,
    title: str = "Class activation maps (research use)",
    derivation: str = "Class activation maps drawn over the radiograph. Research use, not a medical device.",
) -> Dataset:
    """Builds a Secondary Capture image in the source's study, in a series of its own.

    Args:
        rgb: uint8 [height, width, 3], the picture.
        making: Source, model, request and time; writing the same again makes the same bytes.
        title: Series Description, at most 64 characters. The same for all objects of a series.
        derivation: What the picture shows, for Derivation Description (0008,2111).

    Returns:
        A data set with file meta information, ready to be saved.

    Raises:
        InvalidValueError: The picture is not uint8 [height, width, 3], or a text is too long.
        InputError: The source's attributes do not allow a valid object.
    """
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or 0 in rgb.shape:
        raise InvalidValueError("a secondary capture needs uint8 pixels [height, width, 3]")
    if not title or len(title) > LONG_STRING:
        raise InvalidValueError("a series needs a title of 64 characters at most")
    with quiet(), converting("the secondary capture cannot be written", InputError, "unwritable"):
        capture = _capture(np.ascontiguousarray(rgb), making, title)
        making.complete(capture)
        _add_image_attributes(capture, making, derivation)
        capture.DateOfSecondaryCapture, capture.TimeOfSecondaryCapture = capture.ContentDate, capture.ContentTime
        return capture


def _capture(rgb: ByteArray, making: Making, title: str) -> Dataset:
    algorithm = making.algorithm
    return highdicom.sc.SCImage(
        pixel_array=rgb,
        photometric_interpretation="RGB",
        bits_allocated=8,
        coordinate_system="PATIENT",
        patient_orientation=("L", "F"),  # replaced by the source's own below
        study_instance_uid=making.source.identity.study_instance_uid,
        series_instance_uid=making.series_uid("sc"),
        sop_instance_uid=making.instance_uid("sc"),
        series_number=_SERIES_NUMBER,
        instance_number=1,
        series_description=title,
        manufacturer=MANUFACTURER,
        manufacturer_model_name=algorithm.name,
        software_versions=tuple(algorithm.software_versions),
        transfer_syntax_uid=ExplicitVRLittleEndian,
        contributing_equipment=[algorithm.contribution()],
    )


def _add_image_attributes(capture: Dataset, making: Making, derivation: str) -> None:
    inherited, algorithm = making.source.dataset, making.algorithm
    capture.ImageType = ["DERIVED", "SECONDARY", "OTHER"]
    capture.PatientOrientation = inherited.get("PatientOrientation")  # empty where unknown, never absent
    if inherited.get("BodyPartExamined") == "CHEST" and "Laterality" not in inherited:
        capture.BodyPartExamined = "CHEST"
    else:  # required unless the body part is known to be unpaired; empty means unknown (PS3.3 C.7.3.1)
        capture.Laterality = inherited.get("Laterality", "")
    digest = f" Weights SHA-256 {algorithm.weights_sha256}." if algorithm.weights_sha256 else ""
    capture.DerivationDescription = f"{derivation} Model {algorithm.name} {algorithm.version}.{digest}"[:1024]
    capture.DerivationCodeSequence = [code_item(_CLASS_ACTIVATION)]
    capture.SourceImageSequence = [source_reference(making.source)]
    # Burned-in annotation means text that tells the patient: the picture adds none, the source may bring some.
    capture.BurnedInAnnotation = "YES" if inherited.get("BurnedInAnnotation") == "YES" else "NO"
    if inherited.get("LossyImageCompression") == "01":
        capture.LossyImageCompression = "01"
        for keyword in ("LossyImageCompressionRatio", "LossyImageCompressionMethod"):
            if keyword in inherited:
                setattr(capture, keyword, inherited[keyword].value)
