"""De-identifies one object: the story from a parsed file to verified bytes."""

from __future__ import annotations

import io
from dataclasses import dataclass, field

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from medcam.core.errors import InputError
from medcam.dicom.deidentify.elements import cleaned
from medcam.dicom.deidentify.identifiers import Identifiers, identifiers_of
from medcam.dicom.deidentify.image import Blackened, FindText, write_pixels
from medcam.dicom.deidentify.patient import Replacements, replacements
from medcam.dicom.deidentify.profile import Profile, add_method
from medcam.dicom.deidentify.pseudonyms import Secret
from medcam.dicom.deidentify.values import storage_class
from medcam.dicom.deidentify.verifier import leftovers
from medcam.dicom.deidentify.vocabulary import CHARACTER_SET
from medcam.dicom.deidentify.way_back import WayBack, way_back
from medcam.dicom.description import refuse_other_objects
from medcam.dicom.errors import PixelDataError, converting
from medcam.dicom.header import Header
from medcam.dicom.quiet import quiet
from medcam.dicom.uids import derived_uid

UNKNOWN_ANNOTATION = "burned-in-annotation-not-told"
"""Warning: the film does not say whether text is burned in, and its pixels were not cleaned."""

_IMPLEMENTATION = derived_uid("medcam", "de-identification")
_NAME = "MEDCAM"
_UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")


@dataclass(frozen=True, eq=False)
class Deidentified:
    """One object, de-identified and verified.

    Args:
        data: The file's bytes: Part 10, Explicit VR Little Endian, uncompressed.
        patient: Pseudonym of the patient.
        study: New Study Instance UID.
        series: New Series Instance UID.
        instance: New SOP Instance UID.
        blackened: What Clean Pixel Data blacked out.
        warnings: Codes of what a reader of the report should know.
        replaced: What replaced the identifiers.
        identifiers: What identified the original.
        back: For the key file.
    """

    data: bytes = field(repr=False)
    patient: str
    study: str
    series: str
    instance: str
    blackened: Blackened
    warnings: tuple[str, ...]
    replaced: Replacements = field(repr=False)
    identifiers: Identifiers = field(repr=False)
    back: WayBack = field(repr=False)


def deidentify(source: Dataset, secret: Secret, profile: Profile, find_text: FindText | None = None) -> Deidentified:
    """De-identifies an image by the Basic Application Level Confidentiality Profile (PS3.15 Annex E).

    Args:
        source: A parsed single-frame image; left as it is.
        secret: What pseudonyms and UIDs are made with.
        profile: The options.
        find_text: Finds burned-in text beside `find_burned_in`, where pixels are cleaned; may be called from several
            threads.

    Returns:
        Verified bytes.

    Raises:
        NotAnImageError: Anything that is no image: reports, documents, presentation states are not passed on.
        InputError: The pixels cannot be decoded (codes of reading), text is said to be burned in and Clean Pixel Data
            was not asked for (`burned-in-annotation`), the object is of a class that the standard does not register
            (`unknown-sop-class`), or the verifier found something (`identifier-left`).
    """
    with quiet(), converting("the DICOM object cannot be de-identified", PixelDataError):
        header = Header(source)
        refuse_other_objects(header)
        warnings = _checked(header, profile)
        replaced = replacements(header, secret, profile)
        result = cleaned(source, replaced)
        _complete_uids(result, header, replaced)
        blackened = write_pixels(result, header, clean=profile.clean_pixels, find_text=find_text)
        if profile.clean_pixels:
            result.BurnedInAnnotation = "NO"
        add_method(result, profile)
        data = _encoded(result)
        found = identifiers_of(source)
        back = way_back(source, result, secret, profile)
    _verify(data, replaced, found)
    study, series, instance = (str(result[keyword].value) for keyword in _UIDS)
    return Deidentified(data, replaced.patient, study, series, instance, blackened, warnings, replaced, found, back)


def _checked(header: Header, profile: Profile) -> tuple[str, ...]:
    if not storage_class(header):
        raise InputError(
            "the object's SOP class is none that the standard registers",
            code="unknown-sop-class",
            next_step="Convert it to a standard image object first.",
        )
    said = header.token("BurnedInAnnotation")
    if profile.clean_pixels or said == "NO":
        return ()
    if said == "YES":
        raise InputError(
            "the image says that text is burned in",
            code="burned-in-annotation",
            next_step="Run again with --clean-pixels, and look at the result.",
        )
    return (UNKNOWN_ANNOTATION,)


def _complete_uids(result: Dataset, header: Header, replaced: Replacements) -> None:
    """UIDs that an image cannot be without; a missing one is made of those that are there."""
    known = "/".join(header.text(keyword) for keyword in _UIDS)
    for keyword in _UIDS:
        if not str(result.get(keyword) or ""):
            setattr(result, keyword, UID(replaced.uid(f"missing {keyword} of {known}")))
    result.PatientID, result.PatientName = replaced.patient, replaced.name


def _encoded(result: Dataset) -> bytes:
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\x00\x01"
    meta.MediaStorageSOPClassUID = result.SOPClassUID
    meta.MediaStorageSOPInstanceUID = result.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = UID(_IMPLEMENTATION)
    meta.ImplementationVersionName = _NAME
    result.file_meta = meta
    result.SpecificCharacterSet = CHARACTER_SET
    buffer = io.BytesIO()
    result.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _verify(data: bytes, replaced: Replacements, found: Identifiers) -> None:
    left = leftovers(data, replaced, found)
    if left:
        kinds = ", ".join(sorted({f"{each.kind} at {each.where}" for each in left})[:5])
        raise InputError(
            f"the result could still identify ({kinds})",
            code="identifier-left",
            next_step="Nothing was written for this file; report it without the file.",
        )
