"""What in an original could identify: every name, number, date, UID and text in it, wherever it stands."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataset import Dataset

from medcam.dicom.deidentify.values import is_registered
from medcam.dicom.errors import LIBRARY_ERRORS

_TEXT_VRS = frozenset(["PN", "LO", "SH", "LT", "ST", "UT", "UC", "AE", "UR", "CS"])
_BULK = frozenset((0x7FE00010, 0x00283006))
"""Pixels and lookup tables: numbers, of which some look like letters."""
_LARGEST_BYTES = 1 << 16
_DEEPEST = 40
_SHORTEST, _SHORTEST_NUMBER = 4, 6
"""Characters. What is shorter stands in any file by chance."""
_WORD = re.compile(r"[^\W_]+", re.UNICODE)
_READABLE = re.compile(rb"[\x20-\x7e\xc0-\xff]{6,}")
_DATE = re.compile(r"(?<!\d)(?:19|20)\d{6}(?!\d)")
_MOST_NESTED = 5000


@dataclass(frozen=True, slots=True)
class Identifiers:
    """Of one object.

    Args:
        texts: Texts and words of texts, in lower case.
        dates: Eight digits each.
        uids: All UIDs that the standard does not register.
    """

    texts: frozenset[str] = field(default=frozenset(), repr=False)
    dates: frozenset[str] = field(default=frozenset(), repr=False)
    uids: frozenset[str] = field(default=frozenset(), repr=False)

    @property
    def all(self) -> frozenset[str]:
        """All of them."""
        return self.texts | self.dates | self.uids


def identifiers_of(dataset: Dataset) -> Identifiers:
    """Collects what could identify from a data set, its file meta information, its sequences and private elements.

    Values of four characters and more count (numbers: six digits and more), with their words. Bytes of unknown meaning
    give the readable runs in them.
    """
    found = _Found()
    meta = getattr(dataset, "file_meta", None)
    for part in (dataset, meta):
        if part is not None:
            _collect(part, found, 0)
    return Identifiers(frozenset(found.texts), frozenset(found.dates), frozenset(found.uids))


@dataclass(slots=True)
class _Found:
    texts: set[str] = field(default_factory=set)
    dates: set[str] = field(default_factory=set)
    uids: set[str] = field(default_factory=set)


def _collect(dataset: Dataset, found: _Found, depth: int) -> None:
    for tag in list(dataset.keys()):
        if int(tag) in _BULK:
            continue
        try:
            element = dataset[tag]
            values = element.value
        except LIBRARY_ERRORS:
            _add_bytes(found, getattr(dataset.get_item(tag), "value", b"") or b"")
            continue
        vr = dictionary_VR(tag) if dictionary_has_tag(tag) else str(element.VR)
        if str(element.VR) == "SQ":
            for item in values or () if depth < _DEEPEST else ():
                _collect(item, found, depth + 1)
            continue
        for value in _each(values):
            _add(found, vr if vr in _TEXT_VRS else str(element.VR), vr, value)


def _each(value: object) -> Iterator[object]:
    if value is None:
        return
    if isinstance(value, str | bytes) or not isinstance(value, Iterable) or hasattr(value, "family_name"):
        yield value
    else:
        yield from list(value)[:_MOST_NESTED]


def _add(found: _Found, vr: str, expected: str, value: object) -> None:
    if isinstance(value, bytes):
        _add_bytes(found, value)
        return
    text = str(value).strip(" \0")
    if vr in _TEXT_VRS or expected in _TEXT_VRS or vr == "UN":
        _add_text(found, text)
    elif vr == "UI" or expected == "UI":
        if text and not is_registered(text):
            found.uids.add(text)
    elif vr in ("DA", "DT") or expected in ("DA", "DT"):
        digits = re.sub(r"\D", "", text)[:8]
        if len(digits) == 8:
            found.dates.add(digits)


def _add_bytes(found: _Found, data: bytes) -> None:
    if len(data) <= _LARGEST_BYTES:
        for run in _READABLE.findall(data):
            _add_text(found, run.decode("latin-1"))


def _add_text(found: _Found, text: str) -> None:
    found.dates.update(_DATE.findall(text))
    lower = text.lower()
    if len(lower) > _SHORTEST and not lower.isdigit():
        found.texts.add(lower[:64])
    for word in (lower, *_WORD.findall(lower)):
        if len(word) >= (_SHORTEST_NUMBER if word.isdigit() else _SHORTEST) and len(word) <= 64:
            found.texts.add(word)
