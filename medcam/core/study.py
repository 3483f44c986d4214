"""A study: what groups radiographs."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Study:
    """A study. Patient data.

    Args:
        id: 16 hexadecimal digits: how addresses name it.
        uid: Study Instance UID.
        patient_id: Patient ID (0010,0020).
        issuer: Issuer of Patient ID (0010,0021).
        patient_name: Patient's Name (0010,0010).
        accession_number: Accession Number (0008,0050).
        study_date: Study Date (0008,0020), YYYYMMDD or empty.
        description: Study Description (0008,1030).
    """

    id: str
    uid: str
    patient_id: str = field(default="", repr=False)
    issuer: str = field(default="", repr=False)
    patient_name: str = field(default="", repr=False)
    accession_number: str = field(default="", repr=False)
    study_date: str = field(default="", repr=False)
    description: str = field(default="", repr=False)
