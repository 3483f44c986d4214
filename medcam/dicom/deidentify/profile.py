"""Which options of the confidentiality profile a run applies, and how an object says so (DICOM PS3.15 Annex E)."""

from __future__ import annotations

from dataclasses import dataclass

from pydicom.dataset import Dataset

METHOD = "medcam: PS3.15 Basic Profile, allow-list"
"""De-identification Method (0012,0063): LO, so at most 64 characters."""


@dataclass(frozen=True, slots=True)
class Profile:
    """The Basic Application Level Confidentiality Profile with the options that are asked for.

    Args:
        clean_pixels: Clean Pixel Data Option: burned-in text is blacked out.
        retain_patient_characteristics: Retain Patient Characteristics Option: sex, age, size, weight and the like stay.
        retain_longitudinal: Retain Longitudinal Temporal Information with Modified Dates Option: dates are shifted by
            one number of days per patient; otherwise they are removed.
    """

    clean_pixels: bool = False
    retain_patient_characteristics: bool = False
    retain_longitudinal: bool = False

    @property
    def codes(self) -> tuple[tuple[str, str], ...]:
        """Code values and meanings of PS3.16 CID 7050, coding scheme DCM, in the order of the codes."""
        chosen = [("113100", "Basic Application Confidentiality Profile")]
        if self.clean_pixels:
            chosen.append(("113101", "Clean Pixel Data Option"))
        if self.retain_longitudinal:
            chosen.append(("113107", "Retain Longitudinal Temporal Information Modified Dates Option"))
        if self.retain_patient_characteristics:
            chosen.append(("113108", "Retain Patient Characteristics Option"))
        return tuple(chosen)


def add_method(dataset: Dataset, profile: Profile) -> None:
    """Says in a data set that it is de-identified and how (PS3.15 E.1.1 item 6, PS3.3 C.7.1.1 and C.12.1)."""
    dataset.PatientIdentityRemoved = "YES"
    dataset.DeidentificationMethod = METHOD
    dataset.DeidentificationMethodCodeSequence = [_code(value, meaning) for value, meaning in profile.codes]
    dataset.LongitudinalTemporalInformationModified = "MODIFIED" if profile.retain_longitudinal else "REMOVED"


def _code(value: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "DCM", meaning
    return item
