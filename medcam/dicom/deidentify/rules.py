"""What happens to each attribute: table E.1-1 of PS3.15, and an allow-list for all that the table does not name.

The table is the one that dicom-anonymizer keeps from the standard's text. It says what must go; of the thousands of
attributes that it does not name, only those stay whose content cannot be a name: numbers, words of the standard, codes
of public dictionaries. Everything unknown, private, retired or textual is dropped.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache

from dicomanonymizer.dicomfields_selector import dicom_anonymization_database_selector
from pydicom.datadict import (
    dictionary_has_tag,
    dictionary_is_retired,
    dictionary_keyword,
    dictionary_VR,
    keyword_for_tag,
)
from pydicom.tag import BaseTag, Tag

from medcam.dicom.deidentify.profile import Profile
from medcam.dicom.deidentify.vocabulary import CHARACTERISTICS, WORDS

EDITION = "2026c"
"""Of the standard that the table comes from."""


class Rule(StrEnum):
    """What is done with an attribute."""

    DROP = "dropped"
    EMPTY = "emptied"
    PATIENT = "pseudonym of the patient"
    ACCESSION = "pseudonym of the accession"
    STUDY = "pseudonym of the study"
    UID = "replaced UID"
    CLASS_UID = "kept where the standard registers it"
    DATE = "shifted"
    NUMBER = "kept where it is a number"
    WORDS = "kept where it is a word of the standard"
    BODY_PART = "kept as a word of the standard"
    MAKER = "kept where it is a known maker"
    AGE = "kept, at most 90 years"
    TABLE = "kept as long as its descriptor says"
    ITEMS = "cleaned item by item"
    PIXELS = "decoded and stored anew"


_EMPTIED = ("Z_TAGS", "Z_D_TAGS", "X_Z_TAGS")
_DROPPED = ("X_TAGS", "D_TAGS", "X_D_TAGS", "X_Z_D_TAGS")
"""A D asks for a dummy where an object needs a value. No image object needs one of these, so they go altogether."""
_REFERENCES = ("X_Z_U_STAR_TAGS",)
_NUMERIC = frozenset(["US", "SS", "UL", "SL", "FL", "FD", "DS", "IS"]) | {"US or SS"}
_TEMPORAL = frozenset(("DA", "TM", "DT"))
_NUMERIC_GROUPS = frozenset((0x0018, 0x0020, 0x0028, 0x0040, 0x0054))
_NEVER_SHIFTED = frozenset(("PatientBirthDate", "PatientBirthTime", "LastMenstrualDate"))
_PATIENT_GROUP = 0x0010
_KEPT_SIZES = frozenset(("PatientSize", "PatientWeight"))
_REMADE = frozenset(
    [
        "Rows",
        "Columns",
        "SamplesPerPixel",
        "PlanarConfiguration",
        "BitsAllocated",
        "BitsStored",
        "HighBit",
        "PixelRepresentation",
        "NumberOfFrames",
        "PixelPaddingValue",
        "PixelPaddingRangeLimit",
        "PhotometricInterpretation",
        "SmallestImagePixelValue",
        "LargestImagePixelValue",
        "SmallestPixelValueInSeries",
        "LargestPixelValueInSeries",
        "SmallestImagePixelValueInPlane",
        "LargestImagePixelValueInPlane",
        "LongitudinalTemporalInformationModified",
    ]
)
"""Written anew with the pixels, or by the profile."""

_OWN: dict[str, Rule] = {
    "PatientID": Rule.PATIENT,
    "PatientName": Rule.PATIENT,
    "AccessionNumber": Rule.ACCESSION,
    "StudyID": Rule.STUDY,
    "Manufacturer": Rule.MAKER,
    "BodyPartExamined": Rule.BODY_PART,
    "SOPClassUID": Rule.CLASS_UID,
    "ReferencedSOPClassUID": Rule.CLASS_UID,
    "LUTDescriptor": Rule.DROP,  # written together with its table
    "LUTData": Rule.TABLE,
    "PixelData": Rule.PIXELS,
}


@cache
def _table() -> dict[int, str]:
    """Category of table E.1-1 by tag; ranges (overlays, curves) are handled by group."""
    database = dicom_anonymization_database_selector(f"dicomfields_{EDITION}")
    return {
        tag[0] << 16 | tag[1]: category
        for category, tags in database.items()
        if category != "ALL_TAGS"
        for tag in tags
        if len(tag) == 2
    }


@cache
def rule_of(tag: BaseTag, profile: Profile) -> Rule:
    """What happens to an attribute, whatever a file says its VR is.

    Args:
        tag: The attribute.
        profile: The options asked for.
    """
    tag = Tag(tag)
    if tag.is_private or tag.element == 0 or not dictionary_has_tag(tag):
        return Rule.DROP  # overlays and curves (repeating groups) and group lengths among them
    vr, keyword = dictionary_VR(tag), dictionary_keyword(tag)
    if keyword in _OWN:
        return _OWN[keyword]
    if dictionary_is_retired(tag) or keyword in _REMADE or "Palette" in keyword:
        return Rule.DROP
    characteristic = _characteristic(keyword) if profile.retain_patient_characteristics else None
    if characteristic is not None:
        return characteristic
    category = _table().get(int(tag))
    if vr in _TEMPORAL and profile.retain_longitudinal and keyword not in _NEVER_SHIFTED:
        return Rule.DATE
    return _by_table(category) if category else _by_kind(tag, vr, keyword)


def keyword_of(tag: BaseTag) -> str:
    """The attribute's keyword, or its number where it has none; for records, never a value."""
    return keyword_for_tag(tag) or f"({tag.group:04X},{tag.element:04X})"


def _characteristic(keyword: str) -> Rule | None:
    if keyword in CHARACTERISTICS:
        return Rule.WORDS
    if keyword in _KEPT_SIZES:
        return Rule.NUMBER
    return Rule.AGE if keyword == "PatientAge" else None


def _by_table(category: str) -> Rule:
    if category in _EMPTIED:
        return Rule.EMPTY
    if category in _REFERENCES:
        return Rule.ITEMS
    return Rule.DROP if category in _DROPPED else Rule.UID


def _by_kind(tag: BaseTag, vr: str, keyword: str) -> Rule:
    """For what the table does not name."""
    if tag.group == _PATIENT_GROUP:
        return Rule.DROP
    if keyword in WORDS:
        return Rule.WORDS
    if vr == "UI":
        return Rule.UID
    if vr == "SQ":
        return Rule.ITEMS
    return Rule.NUMBER if vr in _NUMERIC and tag.group in _NUMERIC_GROUPS else Rule.DROP
