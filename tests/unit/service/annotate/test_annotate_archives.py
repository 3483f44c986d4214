"""Archives and media as sources: the films in them are annotated like any others."""

from __future__ import annotations

import gc
import warnings
import zipfile
from pathlib import Path

import pydicom
import pytest
from pydicom.fileset import FileSet
from run_files import refusals

from medcam.core.errors import InputError
from medcam.service.annotate.inputs import find_inputs
from medcam.service.annotate.options import AnnotateOptions
from medcam.service.annotate.run import annotate


def packed(films: Path, path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for film in sorted(films.iterdir()):
            archive.write(film, f"../study/{film.name}")
        archive.writestr("readme.txt", "not a film")
    return path


@pytest.fixture
def medium(films: Path, tmp_path: Path) -> Path:
    files = FileSet()
    for film in sorted(films.iterdir()):
        dataset = pydicom.dcmread(film)
        dataset.StudyID, dataset.SeriesNumber = "1", 1
        files.add(dataset)
    files.write(tmp_path / "medium")
    with warnings.catch_warnings():  # pydicom leaves its staging folder to the garbage collector, which complains
        warnings.simplefilter("ignore", ResourceWarning)
        del files
        gc.collect()
    return tmp_path / "medium" / "DICOMDIR"


def test_the_films_of_an_archive_are_annotated_in_place(films: Path, tmp_path: Path, options: AnnotateOptions) -> None:
    folder = tmp_path / "sent"
    folder.mkdir()
    packed(films, folder / "films.zip")
    (folder / "broken.zip").write_bytes(b"PK\x03\x04 and no more")
    before = sorted(tmp_path.rglob("*"))
    manifest = annotate([folder], tmp_path / "out", options)
    assert sorted(item.source for item in manifest.annotated) == [f"films.zip/study/film-{n}.dcm" for n in range(3)]
    assert refusals(tmp_path / "out") == {"broken.zip": "broken-archive"}
    assert [item.source for item in manifest.skipped] == ["films.zip/readme.txt"]
    assert sorted(path for path in tmp_path.rglob("*") if tmp_path / "out" not in (path, *path.parents)) == before


def test_a_film_in_an_archive_and_beside_it_is_one_film(films: Path, tmp_path: Path, options: AnnotateOptions) -> None:
    packed(films, tmp_path / "films.zip")
    manifest = annotate([films, tmp_path / "films.zip"], tmp_path / "out", options)
    assert (manifest.counts.annotated, manifest.counts.duplicate) == (3, 3)


def test_a_dicomdir_names_the_films(medium: Path, tmp_path: Path) -> None:
    inputs = find_inputs([medium], tmp_path / "out")
    assert len(inputs) == 3
    assert all(file.path.is_file() for file in inputs)
    assert len(find_inputs([medium, inputs[0].path], tmp_path / "out")) == 3
    inputs[1].path.unlink()
    assert len(find_inputs([medium], tmp_path / "out")) == 3, "what the medium lacks is an input that cannot be read"


@pytest.mark.filterwarnings("ignore:Invalid value for VR CS")
def test_a_dicomdir_cannot_lead_out_of_its_folder(medium: Path, tmp_path: Path) -> None:
    directory = pydicom.dcmread(medium)
    images = [record for record in directory.DirectoryRecordSequence if "ReferencedFileID" in record]
    images[0].ReferencedFileID = ["..", "..", "etc", "passwd"]
    directory.save_as(medium)
    with pytest.raises(InputError) as raised:
        find_inputs([medium], tmp_path / "out")
    assert raised.value.code == "unsafe-file-id"


def test_rubbish_is_no_dicomdir(tmp_path: Path) -> None:
    path = tmp_path / "DICOMDIR"
    path.write_bytes(b"no medium")
    with pytest.raises(InputError):
        find_inputs([path], tmp_path / "out")
