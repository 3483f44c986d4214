"""Finding the study of an encoded data set, in every encoding and in hostile ones."""

from __future__ import annotations

import io
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.filebase import DicomIO
from pydicom.filewriter import write_dataset
from pydicom.sequence import Sequence

from medcam.dicom.network.commitment import read_request
from medcam.dicom.network.elements import walk
from medcam.dicom.network.received import ReceivedObject

IMPLICIT, EXPLICIT, DEFLATED, BIG = (f"1.2.840.10008.1.2{rest}" for rest in ("", ".1", ".1.99", ".2"))
STUDY = "1.2.840.99.1"


def encoded(dataset: Dataset, syntax: str) -> bytes:
    buffer = DicomIO(io.BytesIO())
    buffer.is_implicit_VR, buffer.is_little_endian = syntax == IMPLICIT, syntax != BIG
    write_dataset(buffer, dataset)
    data = buffer.parent.getvalue()
    if syntax != DEFLATED:
        return data
    deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return deflate.compress(data) + deflate.flush()


def study_of(data: bytes, syntax: str) -> str:
    return ReceivedObject("1.2", "1.3", syntax, memoryview(data)).study_instance_uid


def film(*, undefined: bool) -> Dataset:
    inner = Dataset()
    inner.StudyInstanceUID = "9.9.9"
    item = Dataset()
    item.StudyInstanceUID = "9.9"
    item.ReferencedSeriesSequence = Sequence([inner])
    made = Dataset()
    made.SOPInstanceUID = "1.3"
    made.ReferencedStudySequence = Sequence([item, Dataset()])
    made.ReferencedStudySequence.is_undefined_length = undefined
    item.is_undefined_length_sequence_item = undefined
    made["ReferencedStudySequence"].is_undefined_length = undefined
    made.PatientName = "DOE^JANE"
    made.add_new(0x00190010, "LO", "VENDOR")
    made.add_new(0x00191001, "UN", b"\x00" * 40)
    made.StudyInstanceUID = STUDY
    made.SeriesInstanceUID = "1.2.3"
    made.Rows = 4
    return made


@pytest.mark.parametrize("undefined", [False, True])
@pytest.mark.parametrize("syntax", [IMPLICIT, EXPLICIT, DEFLATED, BIG])
def test_the_study_is_found_and_not_that_of_an_item(syntax, undefined):
    assert study_of(encoded(film(undefined=undefined), syntax), syntax) == STUDY


def test_a_data_set_without_study_has_none():
    made = film(undefined=False)
    del made.StudyInstanceUID
    assert study_of(encoded(made, EXPLICIT), EXPLICIT) == ""
    assert study_of(b"", EXPLICIT) == ""


@pytest.mark.parametrize("uid", [b"../../../etc/passwd.", b"1.2\xff.3", b"1" * 66])
def test_what_is_no_uid_is_no_study(uid):
    data = b"\x20\x00\x0d\x00UI" + len(uid).to_bytes(2, "little") + uid
    assert study_of(data, EXPLICIT) == ""


@pytest.mark.parametrize(
    "data",
    [
        bytes(1 << 20),
        b"\x08\x00\x40\x11SQ\x00\x00\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff" * 5000,
        b"\x08\x00\x40\x11UN\x00\x00\xff\xff\xff\xff" * 5000,
        b"\xfe\xff\x0d\xe0\x00\x00\x00\x00" * 5000,
        b"\x08\x00\x40\x11OB\x00\x00\xfe\xff\xff\xff",
        zlib.compress(bytes(50 << 20))[2:],
    ],
    ids=["zeros", "nested", "undefined", "ends", "long", "bomb"],
)
@pytest.mark.parametrize("syntax", [IMPLICIT, EXPLICIT, DEFLATED, BIG])
def test_hostile_data_end_the_walk(data, syntax):
    assert study_of(data, syntax) == ""


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_walk_never_fails(data):
    whole = bytearray(encoded(film(undefined=data.draw(st.booleans())), EXPLICIT))
    for _ in range(data.draw(st.integers(1, 8))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(whole[: data.draw(st.integers(0, len(whole)))])
    for syntax in (IMPLICIT, EXPLICIT, DEFLATED, BIG):
        for element in walk(memoryview(cut), syntax):
            assert len(element.value) <= len(cut) or syntax == DEFLATED
        read_request(memoryview(cut), syntax, "AET")
