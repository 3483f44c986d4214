"""Objects of real results, as a toolkit of other people's making sees them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest

from medcam.service.annotate.options import AnnotateOptions, Output
from medcam.service.annotate.run import annotate
from medcam.service.phantoms.sample_data import sample_films

OBJECTS = (Output.SC, Output.SEG, Output.SR, Output.KO, Output.GSPS)


@pytest.fixture(scope="module")
def film() -> Path:
    """A sample film on which the packaged model finds something."""
    return next(path for path in sample_films() if path.stem == "phantom-00000")


@pytest.fixture(scope="module")
def folder(film: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("objects")
    (result,) = annotate([film], out, AnnotateOptions(outputs=OBJECTS)).annotated
    assert len(list((out / result.folder).glob("*.dcm"))) == 6
    return out / result.folder


def said(*command: str | Path) -> str:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True)
    return done.stdout + done.stderr


def test_the_validators_find_no_error(folder: Path, film: Path, require_tool: Callable[[str], str]) -> None:
    dciodvfy, dcentvfy = require_tool("dciodvfy"), require_tool("dcentvfy")
    for path in folder.glob("*.dcm"):
        verdict = subprocess.run([dciodvfy, path], capture_output=True, text=True, check=False).stderr
        assert "Error" not in verdict, (path.name, verdict)
    entities = subprocess.run([dcentvfy, film, *folder.glob("*.dcm")], capture_output=True, text=True, check=False)
    assert "Error" not in entities.stdout + entities.stderr


def test_the_report_is_read_with_its_findings(folder: Path, require_tool: Callable[[str], str]) -> None:
    text = said(require_tool("dsrdump"), folder / "sr.dcm")
    assert "Imaging Measurement Report" in text
    assert "Pneumothorax" in text


def test_the_presentation_state_passes(
    folder: Path, film: Path, tmp_path: Path, require_tool: Callable[[str], str]
) -> None:
    assert "Test passed" in said(require_tool("dcmpschk"), folder / "gsps.dcm")
    said(require_tool("dcmp2pgm"), "--pstate", folder / "gsps.dcm", film, tmp_path / "film.pgm")
    assert (tmp_path / "film.pgm").read_bytes()[:2] == b"P5"


def test_the_maps_are_decoded_to_the_same_values(
    folder: Path, tmp_path: Path, require_tool: Callable[[str], str]
) -> None:
    said(require_tool("dcmdjpls"), folder / "seg-map.dcm", tmp_path / "maps.dcm")
    theirs, ours = pydicom.dcmread(tmp_path / "maps.dcm"), pydicom.dcmread(folder / "seg-map.dcm")
    assert not theirs.file_meta.TransferSyntaxUID.is_compressed
    assert np.array_equal(theirs.pixel_array, ours.pixel_array)
    assert theirs.pixel_array.max() > 128


def test_the_secondary_capture_is_a_picture_that_fits_a_screen(
    folder: Path, tmp_path: Path, require_tool: Callable[[str], str]
) -> None:
    said(require_tool("dcmj2pnm"), folder / "sc.dcm", tmp_path / "capture.ppm")
    capture = pydicom.dcmread(folder / "sc.dcm")
    assert max(capture.Rows, capture.Columns) <= 1024
    header = f"P6\n{capture.Columns} {capture.Rows}\n255\n".encode()
    assert (tmp_path / "capture.ppm").read_bytes() == header + capture.pixel_array.tobytes()
