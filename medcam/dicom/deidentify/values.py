"""Writes single values anew: what is kept passes through a strict form first, so that nothing rides along."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Mapping, Sequence

from pydicom._uid_dict import UID_dictionary
from pydicom.datadict import dictionary_VM, dictionary_VR
from pydicom.tag import BaseTag
from pydicom.uid import UID

from medcam.dicom.deidentify.vocabulary import CHARACTERISTICS, WORDS
from medcam.dicom.header import Header

_MOST_VALUES = 32
"""For attributes of unlimited multiplicity: windows, ratios, vertices of a collimator."""
_DS = re.compile(r"^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?$")
_IS = re.compile(r"^[+-]?\d{1,7}$")
_AGE = re.compile(r"^(\d{3})([DWMY])$")
_FORMATS: Mapping[str, str] = {"US": "H", "SS": "h", "UL": "L", "SL": "l", "FL": "f", "FD": "d"}
_TEXT = re.compile(rb"[A-Za-z0-9]{4}")
_OLDEST = 90
_RANGES: Mapping[str, tuple[int, int]] = {
    "US": (0, 65535),
    "SS": (-32768, 32767),
    "UL": (0, 2**32 - 1),
    "SL": (-(2**31), 2**31 - 1),
}


def kept_numbers(header: Header, tag: BaseTag, keyword: str) -> list[object] | None:
    """Numbers as the dictionary's VR wants them, None where one of them is none, or there are more than allowed.

    Integers beyond seven digits are dropped, floating point values rounded to seven significant digits, and binary
    numbers dropped whose bytes spell something: digits and bytes can be an identifier.
    """
    texts = header.texts(keyword)
    if not texts or len(texts) > _most(tag):
        return None
    vr = dictionary_VR(tag)
    if vr == "US or SS":
        vr = "SS" if any(text.startswith("-") for text in texts) else "US"
    kept = [_number(text, vr) for text in texts]
    return None if any(value is None for value in kept) or _spells(kept, vr) else kept


def _spells(numbers: Sequence[object], vr: str) -> bool:
    """Whether the bytes of binary numbers, in either order, read as text: four letters or digits in a row."""
    if vr not in _FORMATS:
        return False
    layouts = (f"{order}{len(numbers)}{_FORMATS[vr]}" for order in "<>")
    return any(_TEXT.search(struct.pack(layout, *numbers)) for layout in layouts)


def _number(text: str, vr: str) -> object | None:
    if vr in ("DS", "FL", "FD"):
        value = float(text) if _DS.match(text) else math.nan
        return (f"{value:.7g}" if vr == "DS" else float(f"{value:.7g}")) if math.isfinite(value) else None
    if not _IS.match(text):
        return None
    low, high = _RANGES.get(vr, (-9_999_999, 9_999_999))
    number = int(text)
    return (str(number) if vr == "IS" else number) if low <= number <= high else None


def _most(tag: BaseTag) -> int:
    last = dictionary_VM(tag).split("-")[-1]
    return int(last) if last.isdigit() else _MOST_VALUES


def kept_words(header: Header, keyword: str) -> list[str] | None:
    """Values up to the first one that is no word of the standard; None where the first one is not."""
    allowed = WORDS.get(keyword) or CHARACTERISTICS[keyword]
    kept: list[str] = []
    for text in header.texts(keyword):
        if text.upper() not in allowed:
            break
        kept.append(text.upper())
    return kept or None


def kept_age(text: str) -> str | None:
    """An AS value; ages over 90 years become 90, as few people are so old (45 CFR 164.514(b)(2)(i)(C))."""
    found = _AGE.match(text)
    if found is None:
        return None
    return f"{_OLDEST:03d}Y" if found[2] == "Y" and int(found[1]) > _OLDEST else text


def is_registered(uid: str) -> bool:
    """Whether the standard registers a UID (PS3.6 annex A): it then says what something is, not which one it is."""
    return uid in UID_dictionary


def storage_class(header: Header) -> str:
    """SOP Class UID where the standard registers it as one, else ""."""
    uid = header.text("SOPClassUID")
    return uid if is_registered(uid) and UID(uid).type == "SOP Class" else ""


def single(values: Sequence[object]) -> object:
    """One value as itself, several as a list, as pydicom wants them."""
    return values[0] if len(values) == 1 else list(values)
