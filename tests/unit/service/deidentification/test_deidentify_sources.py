"""Sources of every kind are de-identified alike: JPEG lossless, media with a DICOMDIR, tar archives."""

from __future__ import annotations

import gc
import io
import json
import tarfile
import warnings
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate
from pydicom.fileset import FileSet

from medcam.dicom import DxAttributes, load_radiograph, save_dx
from medcam.dicom.deidentify import Profile
from medcam.dicom.file_classes.jpeg import lossless_jpeg
from medcam.service.annotate.options import AnnotateOptions
from medcam.service.annotate.run import annotate
from medcam.service.deidentification.options import DeidentifyOptions
from medcam.service.deidentification.report import Report
from medcam.service.deidentification.run import deidentify_files

NAME, NUMBER = "Brandenburg^Wilhelmine", "MRN-4711-77"
SECRETS = (b"brandenburg", b"wilhelmine", b"4711-77")
FILMS = 3


def pixels(number: int) -> np.ndarray:
    random = np.random.default_rng(number)
    return np.kron(random.integers(300, 3800, (6, 5)), np.ones((12, 12))).astype(np.uint16)


@pytest.fixture
def films(tmp_path: Path) -> Path:
    folder = tmp_path / "films"
    folder.mkdir()
    for number in range(FILMS):
        about = DxAttributes(
            seed=f"sources/{number}", patient_name=NAME, patient_id=NUMBER, bits_stored=12, window=(2048, 4096)
        )
        save_dx(folder / f"film-{number}.dcm", pixels(number), about)
    return folder


def run(source: Path, out: Path, **options: object) -> Report:
    return deidentify_files([source], out, DeidentifyOptions(workers=1, **options))  # type: ignore[arg-type]


def check(report: Report, out: Path) -> None:
    """All films are there, with their pixels, under one pseudonym, without a name anywhere."""
    assert report.counts == {"deidentified": FILMS, "skipped": 0, "quarantined": 0, "duplicate": 0}
    assert len({item.patient for item in report.written}) == 1
    results = sorted((load_radiograph(out / item.file).pixels.tobytes()) for item in report.written)
    assert results == sorted(pixels(number).astype(np.float32).tobytes() for number in range(FILMS))
    for path in out.rglob("*"):
        if path.is_file():
            content = str(path.relative_to(out)).encode() + path.read_bytes()
            assert not [word for word in SECRETS if word in content.lower()]


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70"])
def test_jpeg_lossless_in_both_syntaxes(films: Path, tmp_path: Path, syntax: str) -> None:
    note = b"Brandenburg Wilhelmine"
    for number, path in enumerate(sorted(films.iterdir())):
        dataset = pydicom.dcmread(path)
        stream = lossless_jpeg(pixels(number), 12)
        comment = b"\xff\xfe" + (len(note) + 2).to_bytes(2, "big") + note
        stream = stream[:2] + comment + stream[2:]
        dataset.PixelData = encapsulate([stream + b"\0" * (len(stream) % 2)])
        dataset["PixelData"].VR, dataset["PixelData"].is_undefined_length = "OB", True
        dataset.file_meta.TransferSyntaxUID = pydicom.uid.UID(syntax)
        dataset.save_as(path)
        assert note in path.read_bytes()
    report = run(films, tmp_path / "out")
    check(report, tmp_path / "out")
    for item in report.written:
        meta = pydicom.dcmread(tmp_path / "out" / item.file).file_meta
        assert meta.TransferSyntaxUID == pydicom.uid.ExplicitVRLittleEndian


def test_a_medium_with_a_dicomdir(films: Path, tmp_path: Path) -> None:
    medium = FileSet()
    for path in sorted(films.iterdir()):
        dataset = pydicom.dcmread(path)
        dataset.StudyID, dataset.SeriesNumber = "1", 1
        medium.add(dataset)
    medium.write(tmp_path / "medium")
    with warnings.catch_warnings():  # pydicom leaves its staging folder to the garbage collector, which complains
        warnings.simplefilter("ignore", ResourceWarning)
        del medium
        gc.collect()
    index = tmp_path / "medium" / "DICOMDIR"
    assert b"Wilhelmine" in index.read_bytes()
    check(run(index, tmp_path / "out"), tmp_path / "out")


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_a_tar_archive_whose_names_name_the_patient(films: Path, tmp_path: Path, mode: str) -> None:
    archive = tmp_path / f"wilhelmine.tar{mode[1:].replace(':', '.')}"
    with tarfile.open(archive, mode) as packed:  # type: ignore[call-overload]
        for path in sorted(films.iterdir()):
            data = path.read_bytes()
            entry = tarfile.TarInfo(f"../brandenburg/{path.name}")
            entry.size, entry.uname = len(data), "wilhelmine"
            packed.addfile(entry, io.BytesIO(data))
    before = sorted(tmp_path.iterdir())
    check(run(archive, tmp_path / "out"), tmp_path / "out")
    made = {path.name for path in tmp_path.iterdir()} - {path.name for path in before}
    assert made == {"out", "out-key.json"}


@pytest.mark.parametrize("profile", [Profile(), Profile(True, True, True)], ids=["basic", "all options"])
def test_what_was_written_can_be_annotated(
    phantom_dicom: Path, tiny_model_folder: Path, tmp_path: Path, profile: Profile
) -> None:
    """The output folder as it is; nothing that lies beside the films is taken for one and refused."""
    out = tmp_path / "out"
    report = run(phantom_dicom, out, profile=profile)
    options = AnnotateOptions(model=str(tiny_model_folder), workers=1, allow_out_of_distribution=True)
    manifest = annotate([out], tmp_path / "annotated", options)
    assert manifest.counts.annotated == len(report.written) == 3
    assert (out / "quarantine.jsonl").read_bytes() == b""
    assert (tmp_path / "annotated" / "quarantine.jsonl").read_bytes() == b""
    assert {item.source for item in manifest.annotated} == {item.file for item in report.written}
    for path in (tmp_path / "annotated").rglob("explanation.json"):
        assert json.loads(path.read_text())["findings"]
        assert "NEVERSHOWN" not in path.read_text()
