"""Reads what was written as a stranger would, and lists what could still identify.

It looks at the bytes, at each element that a parser finds in them, at what no element accounts for, and for every value
of the original wherever it may stand. With what cleaned the file it shares the rules and the words of the standard.
"""

from __future__ import annotations

import io
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache

import pydicom
from pydicom.datadict import dictionary_VR
from pydicom.dataset import Dataset

from medcam.dicom.deidentify.codes import known_meaning
from medcam.dicom.deidentify.patient import NAME_SUFFIX, Replacements
from medcam.dicom.deidentify.profile import METHOD, Profile
from medcam.dicom.deidentify.rules import Rule, keyword_of, rule_of
from medcam.dicom.deidentify.search import Searcher
from medcam.dicom.deidentify.values import is_registered
from medcam.dicom.deidentify.vocabulary import constants
from medcam.dicom.errors import LIBRARY_ERRORS
from medcam.dicom.quiet import quiet

EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
_PIXELS = 0x7FE00010
_META = frozenset(range(0x00020000, 0x00020014)) - {0x00020004}
_ADDED = frozenset(
    [
        "SpecificCharacterSet",
        "PatientIdentityRemoved",
        "DeidentificationMethod",
        "DeidentificationMethodCodeSequence",
        "Rows",
        "Columns",
        "SamplesPerPixel",
        "PlanarConfiguration",
        "PhotometricInterpretation",
        "BitsAllocated",
        "BitsStored",
        "HighBit",
        "PixelRepresentation",
        "PixelPaddingValue",
        "LongitudinalTemporalInformationModified",
        "LUTDescriptor",
        "CodeValue",
        "CodingSchemeDesignator",
        "CodeMeaning",
    ]
)


@dataclass(frozen=True, slots=True)
class Leftover:
    """Something in an output that could identify.

    Args:
        kind: Such as "original value", "private element" or "bytes after the data set".
        where: A path of keywords, or a position; never a value.
    """

    kind: str
    where: str


@cache
def _constants() -> str:
    """Lower-case text of everything that may stand in an output without coming from an original."""
    return "\n".join((constants(), METHOD.lower(), NAME_SUFFIX.lower()))


def leftovers(data: bytes, replaced: Replacements, searcher: Searcher) -> tuple[Leftover, ...]:
    """Judges the bytes of one output.

    Args:
        data: The whole file.
        replaced: What replaced the patient's identifiers: whatever is not from there does not belong.
        searcher: For the original values of this object, and of others where these are known.

    Returns:
        Nothing where the file is clean.
    """
    try:
        with quiet():
            dataset = pydicom.dcmread(io.BytesIO(data))
            found = [*_frame(data, dataset), *_elements(dataset, replaced, "", set(replaced.uids.values()))]
            pixels = bytes(dataset.get("PixelData") or b"")
    except LIBRARY_ERRORS:
        return (Leftover("unreadable output", "file"),)
    found += _values(data, pixels, searcher, _ignored(dataset))
    return tuple(dict.fromkeys(found))


def header_finds(data: bytes, searcher: Searcher) -> bool:
    """Whether texts stand in the part of an output before its pixels: for the identifiers of a whole run.

    Args:
        data: Bytes that `leftovers` found clean.
        searcher: For the original values of other objects.
    """
    with quiet():
        ignored = _ignored(pydicom.dcmread(io.BytesIO(data), stop_before_pixels=True))
    return next(searcher.finds(data[: _pixel_offset(data)], ignored), None) is not None


def _ignored(dataset: Dataset) -> str:
    """Lower-case text of what may stand in an output without coming from a patient: words and codes of the standard.

    Such words are checked where they stand: as Code Strings and codes, element by element.
    """
    codes = [f"{item.CodeValue}\n{item.get('CodeMeaning')}".lower() for item in _items(dataset) if "CodeValue" in item]
    return "\n".join((_constants(), *codes))


def _items(dataset: Dataset) -> Iterator[Dataset]:
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value:
                yield item
                yield from _items(item)


def _frame(data: bytes, dataset: Dataset) -> Iterator[Leftover]:
    """Preamble, file meta information, transfer syntax, and what no element accounts for."""
    if data[:128] != bytes(128):
        yield Leftover("preamble", "byte 0")
    meta = dataset.file_meta
    for element in meta:
        if int(element.tag) not in _META:
            yield Leftover("element of the file meta information", keyword_of(element.tag))
    if meta.TransferSyntaxUID != EXPLICIT_LITTLE:
        yield Leftover("compressed pixel data", "TransferSyntaxUID")
    if meta.MediaStorageSOPInstanceUID != dataset.get("SOPInstanceUID"):
        yield Leftover("UID", "MediaStorageSOPInstanceUID")
    again = io.BytesIO()
    dataset.save_as(again, enforce_file_format=True)
    if again.getvalue() != data:
        yield Leftover("bytes that belong to no element", "file")


def _elements(dataset: Dataset, replaced: Replacements, path: str, uids: Collection[str]) -> Iterator[Leftover]:
    for element in dataset:
        where = f"{path}{keyword_of(element.tag)}"
        if element.tag.is_private:
            yield Leftover("private element", where)
            continue
        if _is_graphics(element.tag.group):
            yield Leftover("overlay or curve", where)
            continue
        keyword, rule = keyword_of(element.tag), rule_of(element.tag, replaced.profile)
        if rule is Rule.DROP and keyword not in _ADDED:
            yield Leftover("element that should be gone", where)
        elif element.VR == "SQ":
            for number, item in enumerate(element.value):
                yield from _elements(item, replaced, f"{where}[{number}].", uids)
        else:
            yield from _judged(element.tag, element.VR, _texts(element.value), rule, replaced, where, uids)
    yield from _about(dataset, replaced.profile, path)


def _judged(
    tag: int, vr: str, texts: list[str], rule: Rule, replaced: Replacements, where: str, uids: Collection[str]
) -> Iterator[Leftover]:
    expected = dictionary_VR(tag)
    if vr not in expected.split(" or "):
        yield Leftover("another VR than the dictionary's", where)
    if rule is Rule.EMPTY and texts:
        yield Leftover("value that should be empty", where)
    if vr == "PN" and rule is not Rule.PATIENT and texts:
        yield Leftover("name that is no pseudonym", where)
    if rule is Rule.PATIENT and texts != [replaced.name if vr == "PN" else replaced.patient]:
        yield Leftover("name that is no pseudonym", where)
    if vr == "UI" and not all(is_registered(text) or text in uids for text in texts):
        yield Leftover("UID", where)
    if vr in ("DA", "DT") and texts and rule is not Rule.DATE:
        yield Leftover("date", where)


def _about(dataset: Dataset, profile: Profile, path: str) -> Iterator[Leftover]:
    """Codes must be those of public dictionaries; the top level must say that it is de-identified."""
    if "CodeValue" in dataset:
        meaning = known_meaning(str(dataset.get("CodingSchemeDesignator")), str(dataset.CodeValue))
        if (str(dataset.CodeValue), str(dataset.get("CodeMeaning"))) not in profile.codes and meaning != str(
            dataset.get("CodeMeaning")
        ):
            yield Leftover("code of no public dictionary", path)
    if not path and dataset.get("PatientIdentityRemoved") != "YES":
        yield Leftover("no statement of de-identification", "PatientIdentityRemoved")


def _values(data: bytes, pixels: bytes, searcher: Searcher, ignored: str) -> Iterator[Leftover]:
    for position in searcher.finds(data[: _pixel_offset(data)], ignored):
        yield Leftover("original value", f"byte {position}")
    if searcher.finds_in_pixels(pixels):
        yield Leftover("original value", "PixelData")


def _pixel_offset(data: bytes) -> int:
    """Where the pixels' own bytes begin; the element comes last in an image, and its header is searched too."""
    place = data.rfind(b"\xe0\x7f\x10\x00O")
    return len(data) if place < 0 else place + 12


def _texts(value: object) -> list[str]:
    if value is None or isinstance(value, bytes):
        return []
    values = list(value) if isinstance(value, list | pydicom.multival.MultiValue) else [value]
    return [str(each) for each in values if str(each)]


def _is_graphics(group: int) -> bool:
    return 0x5000 <= group <= 0x50FF or 0x6000 <= group <= 0x60FF
