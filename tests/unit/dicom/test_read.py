"""Files cut short, renamed, empty, hostile, or no DICOM at all."""

from __future__ import annotations

import hashlib
import os
import pickle
import warnings
from pathlib import Path

import numpy as np
import pytest

from medcam.core.errors import InputError, NotAnImageError
from medcam.dicom import (
    BrokenDicomError,
    NotDicomError,
    PixelDataError,
    load_radiograph,
    read,
)
from medcam.dicom.uids import is_valid_uid

from .builders import ENCODERS, STORED, code_of, encoded, film, frame, save, with_codec


def test_native_pixels_cut_short(tmp_path: Path) -> None:
    data = encoded(film())
    assert code_of(save(tmp_path, data[:-1000])) == "truncated-pixel-data"


@pytest.mark.parametrize("syntax", ENCODERS)
def test_compressed_pixels_cut_short(tmp_path: Path, syntax: str) -> None:
    data = encoded(with_codec(film(), syntax, frame(syntax, STORED, 12)))
    assert code_of(save(tmp_path, data[: len(data) - 200])) == "truncated-pixel-data"


def test_every_way_of_cutting_a_file_is_refused(tmp_path: Path) -> None:
    data = encoded(film())
    codes = {code_of(save(tmp_path, data[:length])) for length in range(1, len(data) - 1, 97)}
    assert codes == {"not-dicom", "broken-dicom", "missing-pixel-data", "truncated-pixel-data"}


def test_too_large_files_are_refused_before_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "LARGEST_FILE", 1000)
    assert code_of(save(tmp_path, encoded(film()))) == "too-large"


RUBBISH = {
    "text": b"Just a note about the study.\n" * 40,
    "json": b'{"a": [1, 2, 3]}',
    "png": b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 3,
    "zip": b"PK\x03\x04" + bytes(500),
    "zeros": bytes(1000),
    "one byte": b"\x08",
    "random": bytes(np.random.default_rng(7).integers(0, 256, 5000, dtype=np.uint8)),
}


@pytest.mark.parametrize("name", RUBBISH)
def test_rubbish_is_skipped_unless_it_claims_to_be_dicom(tmp_path: Path, name: str) -> None:
    for file_name in ("note.txt", "IM0001"):
        with pytest.raises(NotDicomError) as skipped:
            load_radiograph(save(tmp_path, RUBBISH[name], file_name))
        assert isinstance(skipped.value, NotAnImageError)
        assert skipped.value.code == "not-dicom"
    with pytest.raises(BrokenDicomError) as quarantined:
        load_radiograph(save(tmp_path, RUBBISH[name], "note.DCM"))
    assert not isinstance(quarantined.value, NotAnImageError)
    assert quarantined.value.code == "not-dicom"
    with pytest.raises(InputError) as broken:
        load_radiograph(save(tmp_path, bytes(128) + b"DICM" + RUBBISH[name], "note.txt"))
    assert not isinstance(broken.value, NotAnImageError)


def test_empty_file(tmp_path: Path) -> None:
    assert code_of(save(tmp_path, b"")) == "empty-file"
    assert code_of(save(tmp_path, b"", "empty.txt")) == "empty-file"


def test_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.dcm")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for name in ("missing.dcm", "pipe.dcm", "loop", "."):
        assert code_of(tmp_path / name) == "unreadable"


def test_a_thousand_nested_sequences_end_in_an_error(tmp_path: Path) -> None:
    nested = b"\x40\x00\x30\xa7SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff" * 1000
    data = encoded(film())
    position = data.index(b"\xe0\x7f\x10\x00")
    assert code_of(save(tmp_path, data[:position] + nested + data[position:])) == "nested-too-deep"


def test_errors_cross_process_borders_and_quote_no_attribute(tmp_path: Path) -> None:
    dataset = film(PatientName="SECRET^NAME")
    dataset.PixelData = STORED.tobytes()[:50]
    with pytest.raises(PixelDataError) as caught:
        load_radiograph(save(tmp_path, encoded(dataset)))
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (type(copy), copy.code) == (PixelDataError, "truncated-pixel-data")
    assert "SECRET" not in str(caught.value)


def test_warnings_of_the_libraries_stay_inside(tmp_path: Path) -> None:
    data = encoded(film(PatientName="SECRET")).replace(
        b"1.2.826.0.1.3680043.8.498.2\0", b"01.2.26.0.1.3680043.8.498.2\0"
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        radiograph = load_radiograph(save(tmp_path, data))
    assert caught == []
    assert "StudyInstanceUID is not a valid UID" in radiograph.warnings
    assert radiograph.identity.study_instance_uid == "01.2.26.0.1.3680043.8.498.2"


def test_missing_uids_are_derived_from_the_content(tmp_path: Path) -> None:
    dataset = film()
    del dataset.SOPInstanceUID, dataset.StudyInstanceUID
    first = load_radiograph(save(tmp_path, encoded(dataset)))
    again = load_radiograph(save(tmp_path, encoded(dataset), "again.dcm"))
    dataset.PatientID = "OTHER"
    other = load_radiograph(save(tmp_path, encoded(dataset)))
    assert is_valid_uid(first.identity.sop_instance_uid)
    assert first.identity == again.identity
    assert first.identity.sop_instance_uid != other.identity.sop_instance_uid
    assert sum("is missing" in warning for warning in first.warnings) == 2


def test_digest_is_that_of_the_file(tmp_path: Path) -> None:

    data = encoded(film(), meta=False)
    assert load_radiograph(save(tmp_path, data)).sha256 == hashlib.sha256(data).hexdigest()
