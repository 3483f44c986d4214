"""The verifier finds what somebody else left behind."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import UID

from medcam.dicom.deidentify import Identifiers, Leftover, Profile, Searcher, deidentify, leftovers

from ..builders import film
from .planting import SECRET, parsed, written

ORIGINAL = {
    "PatientName": "Brandenburg^Wilhelmine",
    "PatientID": "4711-XY",
    "StudyDate": "20190704",
    "InstitutionName": "Klinikum Ostsee",
    "StudyInstanceUID": "1.2.826.0.1.3680043.8.498.77",
}


def result(profile: Profile | None = None):
    return deidentify(film(BurnedInAnnotation="NO", **ORIGINAL), SECRET, profile or Profile())


def kinds(change: Callable[[Dataset], object], profile: Profile | None = None) -> set[str]:
    """What the verifier says once an output was tampered with."""
    made = result(profile)
    dataset = parsed(made.data)
    change(dataset)
    return {left.kind for left in leftovers(written(dataset), made.replaced, made.identifiers)}


def overlay(dataset: Dataset) -> None:
    dataset.add_new(0x60003000, "OW", bytes(8))


def private(dataset: Dataset) -> None:
    dataset.private_block(0x0011, "ACME", create=True).add_new(1, "LO", "x")


def code(dataset: Dataset) -> None:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = "77", "99LOCAL", "Bed 3"
    dataset.AnatomicRegionSequence = [item]


def nested_name(dataset: Dataset) -> None:
    item = Dataset()
    item.PatientName = "A^B"
    dataset.SourceImageSequence = [item]


def text_bits(dataset: Dataset) -> None:
    dataset.PixelData = b"wilhelmine" + dataset.PixelData[10:]


META = "element of the file meta information"
TAMPERED: dict[str, tuple[Callable[[Dataset], object], str]] = {
    "private": (private, "private element"),
    "overlay": (overlay, "overlay or curve"),
    "name": (lambda d: setattr(d, "PatientName", "P1^X"), "name that is no pseudonym"),
    "number": (lambda d: setattr(d, "PatientID", "12"), "name that is no pseudonym"),
    "nested name": (nested_name, "name that is no pseudonym"),
    "physician": (lambda d: setattr(d, "ReferringPhysicianName", "Dr^X"), "name that is no pseudonym"),
    "uid": (lambda d: setattr(d, "SeriesInstanceUID", UID("1.2.3.4")), "UID"),
    "date": (lambda d: setattr(d, "StudyDate", "20010101"), "date that was not moved"),
    "comment": (lambda d: setattr(d, "ImageComments", "none"), "element that should be gone"),
    "emptied": (lambda d: setattr(d, "StudyTime", "101010"), "value that should be empty"),
    "word": (lambda d: setattr(d, "ViewPosition", "JONES"), "word of no standard"),
    "code": (code, "code of no public dictionary"),
    "statement": (lambda d: delattr(d, "PatientIdentityRemoved"), "no statement of de-identification"),
    "meta": (lambda d: setattr(d.file_meta, "SendingApplicationEntityTitle", "A"), META),
    "maker": (lambda d: setattr(d, "Manufacturer", "klinikum"), "original value"),
    "pixels": (text_bits, "original value"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "kind"), TAMPERED.values(), ids=TAMPERED)
def test_what_is_left_is_named(change: Callable[[Dataset], object], kind: str) -> None:
    assert kind in kinds(change)


@pytest.mark.parametrize("profile", [Profile(), Profile(retain_longitudinal=True), Profile(True, True, True)], ids=str)
def test_an_output_is_clean(profile: Profile) -> None:
    assert kinds(lambda _: None, profile) == set()


def test_dates_that_were_not_moved_are_told_from_those_that_were() -> None:
    profile = Profile(retain_longitudinal=True)
    assert "date that was not moved" in kinds(lambda d: setattr(d, "StudyDate", "20190704"), profile)
    assert "date that was not moved" in kinds(lambda d: setattr(d, "StudyDate", "20190705"), profile)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (lambda data: b"MZ" + data[2:], "preamble"),
        (lambda data: data + bytes(16), "bytes that belong to no element"),
        (lambda data: data[:-40], "bytes that belong to no element"),
        (lambda _: b"no DICOM at all", "unreadable output"),
    ],
)
def test_bytes_that_a_parser_passes_over(data: Callable[[bytes], bytes], kind: str) -> None:
    made = result()
    found = leftovers(data(made.data), made.replaced, made.identifiers)
    assert kind in {left.kind for left in found} or found == (Leftover("unreadable output", "file"),)


def test_places_are_named_without_values() -> None:
    made = result()
    dataset = parsed(made.data)
    dataset.ImageComments = "Wilhelmine Brandenburg"
    found = leftovers(written(dataset), made.replaced, made.identifiers)
    assert "ImageComments" in {left.where for left in found}
    assert "brandenburg" not in str(found).lower()


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("form", [str.upper, str.lower, str.title])
def test_texts_are_found_in_any_encoding_and_case(encoding: str, form: Callable[[str], str]) -> None:
    searcher = Searcher(["Müllerström"])
    assert next(searcher.finds(b"\x01\x02\x03" + form("müllerström").encode(encoding) + b"\x00")) == 3
    assert list(searcher.finds(b"nothing of the kind")) == []


def test_numbers_inside_uids_are_no_finds_and_numbers_alone_are() -> None:
    searcher = Searcher(["20190704"])
    assert list(searcher.finds(b"2.25.1201907043")) == []
    assert list(searcher.finds(b"2.20190704")) == []
    assert list(searcher.finds(b"on 20190704 ")) == [3]


def test_what_an_original_gives_to_look_for() -> None:
    dataset = film(**ORIGINAL, StudyComments="Fell on 20190703, MRN 12345678")
    dataset.private_block(0x0011, "ACME", create=True).add_new(1, "OB", b"\x00\x01Ward Seven\x00")
    made = deidentify(dataset, SECRET, Profile())
    found: Identifiers = made.identifiers
    assert {"brandenburg", "wilhelmine", "4711-xy", "klinikum", "ward seven", "12345678"} <= found.texts
    assert {"20190703", "20190704"} <= found.dates
    assert "1.2.826.0.1.3680043.8.498.77" in found.uids
