"""Code sequences: a code stays if a public dictionary has it, and its meaning is written as that dictionary has it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from pydicom.dataset import Dataset
from pydicom.sr._concepts_dict import concepts
from pydicom.sr._snomed_dict import mapping

from medcam.dicom.header import Header

_LONGEST_VALUE, _LONGEST_MEANING = 16, 64
_OLD_SNOMED = frozenset(("SRT", "SNM3", "99SDM"))
_VALUES = ("CodeValue", "LongCodeValue", "URNCodeValue")


def is_code(item: Dataset) -> bool:
    """Whether an item is a code (PS3.3 section 8) rather than a group of attributes."""
    return any(keyword in item for keyword in _VALUES)


def cleaned_code(item: Dataset) -> Dataset | None:
    """The code alone, without what else the item holds; None where no dictionary has it.

    The dictionaries are those that ship with pydicom: the context groups of PS3.16. Local codes and their meanings are
    free text, and so are the meanings that a file gives to standard codes.
    """
    header = Header(item)
    value, scheme = header.text("CodeValue"), header.token("CodingSchemeDesignator")
    meaning = _dictionary().get((scheme, value))
    if meaning is None:
        return None
    cleaned = Dataset()
    cleaned.CodeValue, cleaned.CodingSchemeDesignator, cleaned.CodeMeaning = value, scheme, meaning
    return cleaned


def known_meaning(scheme: str, value: str) -> str:
    """The meaning that is written for a code, or ""."""
    return _dictionary().get((scheme, value), "")


@cache
def _dictionary() -> dict[tuple[str, str], str]:
    """Meanings by scheme and value; identifiers of the older SNOMED forms count as those of SNOMED CT."""
    known: dict[tuple[str, str], str] = {}
    schemes: Mapping[str, Any] = concepts
    for scheme, names in schemes.items():
        for codes in names.values():
            known |= {
                (scheme.upper(), value): _plain(meaning)
                for value, (meaning, _) in codes.items()
                if len(value) <= _LONGEST_VALUE
            }
    for old, new in mapping["SRT"].items():
        if ("SCT", new) in known:
            known |= {(scheme, old): known["SCT", new] for scheme in _OLD_SNOMED}
    return known


def _plain(meaning: str) -> str:
    ascii_only = meaning.encode("ascii", "ignore").decode("ascii")
    return ascii_only[:_LONGEST_MEANING].strip()
