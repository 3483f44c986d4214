"""Coded concepts of findings: SNOMED CT and DICOM codes with their meanings."""

from __future__ import annotations

import re
from dataclasses import dataclass

from medcam.core.errors import InvalidValueError


@dataclass(frozen=True, slots=True)
class CodedConcept:
    """A code of a published scheme (DICOM's Code Sequence macro, PS3.3 8.8).

    Args:
        value: Code Value.
        scheme: Coding Scheme Designator: SCT for SNOMED CT, DCM, RADLEX.
        meaning: Code Meaning.
    """

    value: str
    scheme: str
    meaning: str

    def __post_init__(self) -> None:
        if not (self.value and self.scheme and self.meaning):
            raise InvalidValueError("a coded concept needs a value, a scheme and a meaning")


def slug(name: str) -> str:
    """A finding's name as it appears in file names and on the command line: lower case, hyphens."""
    text = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    if not text:
        raise InvalidValueError(f"{name!r} has no letter or digit to name a file by")
    return text
