"""Reads what was written as a stranger would, and lists what could still identify.

It looks at the bytes, at each element that a parser finds in them, at what no element accounts for, and for every value
of the original wherever it may stand. With what cleaned the file it shares the rules and the words of the standard.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import pydicom
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from medcam.dicom.deidentify.codes import known_meaning
from medcam.dicom.deidentify.dates import shifted_date
from medcam.dicom.deidentify.identifiers import Identifiers
from medcam.dicom.deidentify.patient import NAME_SUFFIX, Replacements
from medcam.dicom.deidentify.profile import METHOD, Profile
from medcam.dicom.deidentify.rules import Rule, keyword_of, rule_of
from medcam.dicom.deidentify.search import Searcher
from medcam.dicom.deidentify.values import is_registered
from medcam.dicom.deidentify.vocabulary import CHARACTERISTICS, WORDS, constants
from medcam.dicom.errors import LIBRARY_ERRORS
from medcam.dicom.quiet import quiet

EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
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


def leftovers(data: bytes, replaced: Replacements, original: Identifiers) -> tuple[Leftover, ...]:
    """Judges the bytes of one output.

    Args:
        data: The whole file.
        replaced: What replaced the patient's identifiers: whatever is not from there does not belong.
        original: What identified the original.

    Returns:
        Nothing where the file is clean.
    """
    allowed = _Allowed(
        replaced,
        frozenset(replaced.uids.values()),
        frozenset(shifted_date(date, replaced.days) for date in original.dates),
    )
    # A moved date may fall on another date of the same patient; that they are moved is judged one by one.
    dates = frozenset() if replaced.profile.retain_longitudinal else original.dates
    searcher = Searcher(original.texts | original.uids | dates)
    try:
        with quiet():
            dataset = pydicom.dcmread(io.BytesIO(data))
            found = [*_frame(data, dataset), *_elements(dataset, allowed, "")]
            header, bulk = _parts(data, dataset)
    except LIBRARY_ERRORS:
        return (Leftover("unreadable output", "file"),)
    found += [Leftover("original value", f"byte {place}") for place in searcher.finds(header, _ignored(dataset))]
    found += [Leftover("original value", name) for name, values in bulk if searcher.finds_in_bulk(values)]
    return tuple(dict.fromkeys(found))


def header_finds(data: bytes, searcher: Searcher) -> bool:
    """Whether texts stand in the part of an output before its pixels: for the identifiers of a whole run.

    Args:
        data: Bytes that `leftovers` found clean.
        searcher: For the original values of other objects.
    """
    with quiet():
        dataset = pydicom.dcmread(io.BytesIO(data))
        header, _ = _parts(data, dataset)
        return next(searcher.finds(header, _ignored(dataset)), None) is not None


def _parts(data: bytes, dataset: Dataset) -> tuple[bytes, list[tuple[str, bytes]]]:
    """The file without its bulk values, and these by name: in many bytes of any value, short texts stand by chance."""
    pixels = bytes(dataset.get("PixelData") or b"")
    bulk = [("PixelData", pixels)]
    header = data[: len(data) - len(pixels)]  # the element comes last in an image
    for item in _items(dataset):
        table = item.get("LUTData")
        if isinstance(table, bytes) and table:
            bulk.append(("LUTData", table))
            header = header.replace(table, b"")
    return header, bulk


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


@dataclass(frozen=True, slots=True)
class _Allowed:
    """What may stand in an output beside words of the standard."""

    replaced: Replacements
    uids: frozenset[str]
    dates: frozenset[str | None]


def _elements(dataset: Dataset, allowed: _Allowed, path: str) -> Iterator[Leftover]:
    for element in dataset:
        where = f"{path}{keyword_of(element.tag)}"
        if element.tag.is_private:
            yield Leftover("private element", where)
            continue
        if _is_graphics(element.tag.group):
            yield Leftover("overlay or curve", where)
            continue
        keyword, rule = keyword_of(element.tag), rule_of(element.tag, allowed.replaced.profile)
        if rule is Rule.DROP and keyword not in _ADDED:
            yield Leftover("element that should be gone", where)
        elif element.VR == "SQ":
            for number, item in enumerate(element.value):
                yield from _elements(item, allowed, f"{where}[{number}].")
        else:
            yield from _judged(element, rule, allowed, where)
    yield from _about(dataset, allowed.replaced.profile, path)


def _judged(element: DataElement, rule: Rule, allowed: _Allowed, where: str) -> Iterator[Leftover]:
    vr, texts, replaced = str(element.VR), _texts(element.value), allowed.replaced
    if vr not in dictionary_VR(element.tag).split(" or "):
        yield Leftover("another VR than the dictionary's", where)
    if rule is Rule.EMPTY and texts:
        yield Leftover("value that should be empty", where)
    if vr == "PN" and rule is not Rule.PATIENT and texts:
        yield Leftover("name that is no pseudonym", where)
    if rule is Rule.PATIENT and texts != [replaced.name if vr == "PN" else replaced.patient]:
        yield Leftover("name that is no pseudonym", where)
    if vr == "UI" and not all(is_registered(text) or text in allowed.uids for text in texts):
        yield Leftover("UID", where)
    if vr in ("DA", "DT") and not all(rule is Rule.DATE and text[:8] in allowed.dates for text in texts):
        yield Leftover("date that was not moved", where)
    if rule is Rule.WORDS and not all(text in _words_of(where) for text in texts):
        yield Leftover("word of no standard", where)


def _words_of(where: str) -> frozenset[str]:
    keyword = where.rsplit(".", 1)[-1]
    return WORDS.get(keyword) or CHARACTERISTICS.get(keyword, frozenset())


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


def _texts(value: object) -> list[str]:
    if value is None or isinstance(value, bytes):
        return []
    values = list(value) if isinstance(value, list | pydicom.multival.MultiValue) else [value]
    return [str(each) for each in values if str(each)]


def _is_graphics(group: int) -> bool:
    return 0x5000 <= group <= 0x50FF or 0x6000 <= group <= 0x60FF
