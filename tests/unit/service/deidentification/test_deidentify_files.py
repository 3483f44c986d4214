"""Folders in, films without names out: what is written where, what is said about it, what stays behind."""

from __future__ import annotations

import json
import os
import stat
import zipfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pydicom
import pytest

from medcam.core.errors import MedcamError
from medcam.dicom import DxAttributes, load_radiograph, save_dx
from medcam.dicom.deidentify import Profile
from medcam.phantom import Phantom
from medcam.service.deidentification import run as service
from medcam.service.deidentification.options import DeidentifyOptions
from medcam.service.deidentification.report import Report
from medcam.service.deidentification.run import deidentify_files

NAME, NUMBER = "Brandenburg^Wilhelmine", "MRN-4711-77"
SECRETS = ("brandenburg", "wilhelmine", "4711-77", "film-of")


class NoSandbox:
    """Readers have tests of their own."""

    def radiograph(self, data: bytes, name: str) -> None:
        return None


def film(folder: Path, phantom: Phantom, number: int, name: str = "", **options: object) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"film-of-wilhelmine-{name or number}.dcm"
    top = float(2**phantom.bits_stored)
    attributes = DxAttributes(
        seed=f"deidentify/{number}",
        patient_name=NAME,
        patient_id=NUMBER,
        bits_stored=phantom.bits_stored,
        inverse=phantom.photometric == "MONOCHROME1",
        window=(top / 2.0, top),
    )
    save_dx(path, phantom.stored.pixels, replace(attributes, **options))
    return path


def run(source: Path | list[Path], out: Path, **options: object) -> Report:
    given = DeidentifyOptions(workers=2, **options)  # type: ignore[arg-type]
    return deidentify_files([source] if isinstance(source, Path) else source, out, given, readers=NoSandbox())


@pytest.fixture
def folder(tmp_path: Path, phantoms: tuple[Phantom, ...]) -> Path:
    for number, phantom in enumerate(phantoms[:2]):
        film(tmp_path / "films" / "brandenburg", phantom, number)
    return tmp_path / "films"


def everything(out: Path) -> bytes:
    """Names and bytes of all that lies in the output folder."""
    return b"\n".join(
        str(path.relative_to(out)).encode() + path.read_bytes() for path in out.rglob("*") if path.is_file()
    )


def test_films_come_out_without_names_and_can_be_read(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    report = run(folder, out)
    assert report.counts == {"deidentified": 2, "skipped": 0, "quarantined": 0, "duplicate": 0}
    assert not [word for word in SECRETS if word.encode() in everything(out).lower()]
    assert len({item.patient for item in report.written}) == 1
    for item in report.written:
        radiograph = load_radiograph(out / item.file)
        source = sorted((folder / "brandenburg").iterdir())[item.input - 1]
        assert (radiograph.pixels == load_radiograph(source).pixels).all()
    written = json.loads((out / "deidentification.json").read_text())
    assert written == json.loads(report.to_json())
    assert written["method_codes"][0]["code"] == "113100"


def test_the_key_file_stays_outside_is_private_and_leads_back(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    report = run(folder, out)
    key = tmp_path / "out-key.json"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    content = json.loads(key.read_text())
    assert content["patients"][report.written[0].patient]["PatientID"] == NUMBER
    assert "wilhelmine" in content["inputs"][os.path.realpath(out)][report.written[0].input - 1]
    assert content["secret"].encode() not in everything(out)


def test_the_same_key_gives_the_same_bytes_and_another_key_other_pseudonyms(folder: Path, tmp_path: Path) -> None:
    key = tmp_path / "elsewhere.json"
    first = run(folder, tmp_path / "one", key=key)
    second = run(folder, tmp_path / "two", key=key)
    third = run(folder, tmp_path / "three")
    assert [item.file for item in first.written] == [item.file for item in second.written]
    for item in first.written:
        assert (tmp_path / "one" / item.file).read_bytes() == (tmp_path / "two" / item.file).read_bytes()
    assert {item.patient for item in first.written} != {item.patient for item in third.written}


def test_a_second_run_keeps_what_is_there_and_makes_what_is_not(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = run(folder, out)
    lost = out / first.written[0].file
    data = lost.read_bytes()
    lost.write_bytes(b"cut short")
    again = run(folder, out)
    assert [item.kept for item in again.written] == [False, True]
    assert lost.read_bytes() == data
    assert not any(item.kept for item in run(folder, out, resume=False).written)
    assert not any(item.kept for item in run(folder, out, profile=Profile(retain_longitudinal=True)).written)


def test_what_a_killed_run_left_unfinished_is_no_hindrance(folder: Path, tmp_path: Path) -> None:
    """A record's line cut short costs that one output alone; a half-written key, which names patients, goes."""
    out, key = tmp_path / "out", tmp_path / "key[1].json"
    run(folder, out, key=key)
    record = out / ".deidentified.jsonl"
    record.write_text(record.read_text()[:-9])
    leftover, other = tmp_path / ".key[1].json.77.part", tmp_path / ".key1.json.77.part"
    leftover.write_text(NAME)
    other.write_text("another's")
    assert [item.kept for item in run(folder, out, key=key).written] == [True, False]
    assert [item.kept for item in run(folder, out, key=key).written] == [True, True]
    assert not leftover.exists()
    assert other.exists()


@pytest.mark.parametrize("place", ["out/key.json", "out", "out/deep/key.json"])
def test_a_key_inside_the_output_folder_is_a_wrong_call(folder: Path, tmp_path: Path, place: str) -> None:
    with pytest.raises(MedcamError) as caught:
        run(folder, tmp_path / "out", key=tmp_path / place)
    assert caught.value.code == "key-in-output"
    assert not (tmp_path / "out").exists()


def test_a_key_that_leads_into_the_output_folder_by_a_link_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "out")
    with pytest.raises(MedcamError) as caught:
        run(folder, tmp_path / "out", key=tmp_path / "link" / "key.json")
    assert caught.value.code == "key-in-output"


@pytest.mark.parametrize(
    ("text", "mode", "code"),
    [("{}", 0o600, "broken-key"), ("no", 0o600, "broken-key"), ("{}", 0o644, "key-not-private")],
)
def test_keys_that_cannot_be_used(folder: Path, tmp_path: Path, text: str, mode: int, code: str) -> None:
    key = tmp_path / "key.json"
    key.write_text(text)
    key.chmod(mode)
    with pytest.raises(MedcamError) as caught:
        run(folder, tmp_path / "out", key=key)
    assert caught.value.code == code


def test_what_cannot_be_done_is_listed_by_number_without_names(
    folder: Path, tmp_path: Path, phantoms: tuple[Phantom, ...]
) -> None:
    inner = folder / "brandenburg"
    film(inner, phantoms[2], 9, "wilhelmine-burned", burned_in=True)
    (inner / "wilhelmine-notes.txt").write_text("Brandenburg")
    (inner / "wilhelmine-broken.dcm").write_bytes(b"\0" * 128 + b"DICM" + b"x" * 40)
    twice = (inner / "film-of-wilhelmine-0.dcm").read_bytes()
    (inner / "zz-wilhelmine-copy.dcm").write_bytes(twice)
    other = pydicom.dcmread(inner / "film-of-wilhelmine-0.dcm")
    other.StudyDescription = "changed"
    other.save_as(inner / "zz-wilhelmine-other.dcm")
    out = tmp_path / "out"
    report = run(folder, out)
    assert report.counts == {"deidentified": 2, "skipped": 1, "quarantined": 3, "duplicate": 1}
    assert {item.code for item in report.refused} == {"burned-in-annotation", "broken-dicom", "duplicate-uid"}
    lines = [json.loads(line) for line in (out / "quarantine.jsonl").read_text().splitlines()]
    assert {line["source"] for line in lines} == {f"input {item.input}" for item in report.refused}
    assert not [word for word in SECRETS if word.encode() in everything(out).lower()]


def test_archives_are_read_in_place(folder: Path, tmp_path: Path) -> None:
    archive = tmp_path / "wilhelmine.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for path in sorted((folder / "brandenburg").iterdir()):
            packed.write(path, f"../{path.name}")
    report = run(archive, tmp_path / "out")
    assert report.counts["deidentified"] == 2
    assert not [word for word in SECRETS if word.encode() in everything(tmp_path / "out").lower()]


def test_a_value_of_one_patient_in_the_film_of_another_takes_it_back(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, phantoms: tuple[Phantom, ...]
) -> None:
    """The first film of another patient is tampered with after its own check: it names a patient of a later film."""
    real, other = service._write_verified, film(folder, phantoms[2], 5, patient_name="Lund^Agneta", patient_id="99-LU")

    def tampering(path: Path, data: bytes) -> None:
        dataset = pydicom.dcmread(BytesIO(data))
        if dataset.Rows and tampered == []:
            dataset.Manufacturer = "Agneta"
            tampered.append(path)
        buffer = BytesIO()
        dataset.save_as(buffer, enforce_file_format=True)
        real(path, buffer.getvalue())

    tampered: list[Path] = []
    monkeypatch.setattr(service, "_write_verified", tampering)
    report = run(folder, tmp_path / "out")
    assert other.exists()
    assert report.counts["deidentified"] == 2
    assert [(item.input, item.code) for item in report.refused] == [(1, "identifier-left")]
    assert not tampered[0].exists()


def test_films_pass_through_readers_within_limits_first(folder: Path, tmp_path: Path) -> None:
    """The default readers are processes of their own."""
    report = deidentify_files([folder], tmp_path / "out", DeidentifyOptions(workers=1))
    assert report.counts["deidentified"] == 2
