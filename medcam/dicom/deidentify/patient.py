"""Who a film is of, and what replaces the names of that patient."""

from __future__ import annotations

from dataclasses import dataclass, field

from medcam.dicom.deidentify.profile import Profile
from medcam.dicom.deidentify.pseudonyms import Kind, Secret
from medcam.dicom.deidentify.values import is_registered
from medcam.dicom.header import Header

NAME_SUFFIX = "PSEUDONYM"
_BORDER = "\0"


@dataclass(frozen=True, slots=True)
class Replacements:
    """What replaces one patient's identifiers; the same patient and secret give the same ones.

    Args:
        secret: Of the run.
        profile: The options asked for.
        patient: Pseudonym of the patient.
        days: By how many days dates move.
        uids: New UIDs by original, as they are made.
    """

    secret: Secret
    profile: Profile
    patient: str
    days: int = field(repr=False)
    uids: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        """The pseudonym in the form of a Person Name."""
        return f"{self.patient}^{NAME_SUFFIX}"

    def uid(self, original: str) -> str:
        """The UID itself where the standard registers it, else its replacement."""
        if is_registered(original):
            return original
        return self.uids.setdefault(original, self.secret.uid(original))


def patient_of(header: Header) -> str:
    """A text that is the same for two films of one patient.

    It is Patient ID with its issuer. A film without an ID goes by name and birth date, one without these by its study.
    """
    number, issuer = header.text("PatientID"), header.text("IssuerOfPatientID")
    if number:
        return _BORDER.join(("id", number, issuer)).casefold()
    name, born = header.text("PatientName").strip("^= "), header.text("PatientBirthDate")
    if name:
        return _BORDER.join(("name", name, born)).casefold()
    return _BORDER.join(("study", header.text("StudyInstanceUID") or header.text("SOPInstanceUID")))


def replacements(header: Header, secret: Secret, profile: Profile) -> Replacements:
    """What replaces the identifiers of the patient whom a data set is of."""
    patient = patient_of(header)
    return Replacements(secret, profile, secret.pseudonym(Kind.PATIENT, patient), secret.days(patient))
