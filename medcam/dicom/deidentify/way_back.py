"""What leads from an output back to its patient: for the key file alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydicom.dataset import Dataset

from medcam.dicom.deidentify.patient import replacements
from medcam.dicom.deidentify.profile import Profile
from medcam.dicom.deidentify.pseudonyms import Secret
from medcam.dicom.header import Header
from medcam.dicom.quiet import quiet

_REMEMBERED = ("PatientID", "PatientName", "StudyInstanceUID", "AccessionNumber", "StudyID")


@dataclass(frozen=True, slots=True)
class WayBack:
    """What a key file remembers of one object.

    Args:
        patient: Pseudonym of the patient.
        study: New Study Instance UID.
        days: By how many days dates move.
        original: The attributes by which people know patient and study, by keyword.
    """

    patient: str
    study: str
    days: int = field(repr=False)
    original: Mapping[str, str] = field(repr=False)


def way_back(source: Dataset, output: Dataset, secret: Secret, profile: Profile) -> WayBack:
    """The way from an output back to its source.

    Args:
        source: The original.
        output: What `deidentify` made of it.
        secret: Of the run.
        profile: The options.
    """
    with quiet():
        header, made = Header(source), Header(output)
        days = replacements(header, secret, profile).days
        original = {keyword: header.text(keyword) for keyword in _REMEMBERED}
        return WayBack(made.text("PatientID"), made.text("StudyInstanceUID"), days, original)
