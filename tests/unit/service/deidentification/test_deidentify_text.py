"""Cleaning pixels uses the learnt detector, says with which weights, and starts again with others."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from medcam.core.arrays import BoolArray
from medcam.dicom import DxAttributes, load_radiograph, save_dx
from medcam.dicom.deidentify import Profile
from medcam.service.deidentification.options import DeidentifyOptions
from medcam.service.deidentification.report import REPORT_NAME, Report
from medcam.service.deidentification.run import deidentify_files
from medcam.service.find_text import TextFinder
from medcam.service.measure.burned_lines import Print, burn_line
from medcam.service.training.text_pictures import clean_phantom


class NoSandbox:
    """Readers have tests of their own."""

    def radiograph(self, data: bytes, name: str) -> None:
        return None


class Finder:
    """Finds a corner, by a digest of its own."""

    def __init__(self, digest: str, corner: int) -> None:
        self.digest, self._corner = digest, corner

    def __call__(self, film: np.ndarray, padding: BoolArray | None = None) -> BoolArray:
        found = np.zeros(film.shape, np.bool_)
        found[: self._corner, : self._corner] = True
        return found


@pytest.fixture
def source(tmp_path: Path) -> Path:
    film = clean_phantom(9091, 0, 320)
    burn_line(film, Print("DOE^JANE 1961", height=16, stroke=2), 40, 60)
    (tmp_path / "films").mkdir()
    attributes = DxAttributes("text", bits_stored=12, window=(2048.0, 4096.0))
    save_dx(tmp_path / "films" / "film.dcm", np.round(film * 4095).astype(np.uint16), attributes)
    return tmp_path / "films"


def run(source: Path, out: Path, *, clean: bool = True) -> Report:
    options = DeidentifyOptions(Profile(clean_pixels=clean), workers=1)
    return deidentify_files([source], out, options, readers=NoSandbox())


def test_print_is_blacked_out_and_the_report_names_the_weights(source: Path, tmp_path: Path) -> None:
    report = run(source, tmp_path / "out")
    assert report.text_detector == TextFinder.load().digest
    assert json.loads((tmp_path / "out" / REPORT_NAME).read_text())["text_detector"] == report.text_detector
    [item] = report.written
    before, after = (load_radiograph(path).pixels for path in (source / "film.dcm", tmp_path / "out" / item.file))
    assert (after != before).any()
    assert np.array_equal(after[120:], before[120:])
    assert item.blackened_share == pytest.approx((after != before).mean(), abs=0.01)


def test_other_weights_make_the_output_anew(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    finder = Finder("a", 10)
    monkeypatch.setattr(TextFinder, "load", lambda: finder)
    first = run(source, out)
    assert [item.kept for item in run(source, out).written] == [True]
    finder = Finder("b", 20)
    again = run(source, out)
    assert [item.kept for item in again.written] == [False]
    assert again.written[0].blackened_pixels > first.written[0].blackened_pixels
    assert again.text_detector == "b"


def test_nothing_is_loaded_where_pixels_stay_as_they_are(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TextFinder, "load", lambda: pytest.fail("the detector was loaded"))
    report = run(source, tmp_path / "out", clean=False)
    assert report.text_detector is None
    assert report.counts["deidentified"] == 1
