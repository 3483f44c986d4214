"""GDCM in place of a plug-in that is not installed, and scan headers that say what cannot be."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.pixels.decoders.base import Decoder

from medcam.dicom import load_radiograph, pixels
from medcam.dicom.codestream import jpeg_frame, with_whole_scan
from medcam.dicom.file_classes import file_classes
from medcam.dicom.file_classes.jpeg import lossless_jpeg, sequential_jpeg
from medcam.dicom.quiet import silent_stderr

from .builders import code_of, save

CASES = {case.name: case for case in file_classes()}
SMOOTH = np.add.outer(np.arange(48) * 5, np.arange(33)).astype(np.uint8)
JPEG = [name for name in CASES if name.startswith("JPEG") and "LS" not in name and "2000" not in name]
JPEG += [name for name in CASES if "fragments" in name or "Offset Table" in name]


@pytest.fixture
def no_plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Decoder, "is_available", property(lambda _: False))


@pytest.mark.usefixtures("no_plugin")
@pytest.mark.parametrize("name", JPEG)
def test_gdcm_stands_in_for_a_missing_plugin(tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]) -> None:
    case = CASES[name]
    radiograph = load_radiograph(save(tmp_path, case.data))
    np.testing.assert_allclose(radiograph.pixels, case.values, atol=case.tolerance)
    assert any("GDCM" in warning for warning in radiograph.warnings)
    assert capfd.readouterr() == ("", "")


@pytest.mark.usefixtures("no_plugin")
@pytest.mark.parametrize(
    "name", ["JPEG 2000 lossless", "JPEG-LS lossless", "RLE, 16 bits", "YBR_FULL, JPEG baseline", "MPEG2"]
)
def test_what_gdcm_is_not_trusted_with_stays_refused(tmp_path: Path, name: str) -> None:
    assert code_of(save(tmp_path, CASES[name].data)) == "unsupported-transfer-syntax"


@pytest.mark.usefixtures("no_plugin")
def test_noise_is_refused_by_gdcm_too(tmp_path: Path) -> None:
    assert code_of(save(tmp_path, CASES["an extended JPEG of noise"].data)) == "undecodable"


def test_gdcm_gets_no_second_try_at_what_a_plugin_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("damaged")

    monkeypatch.setattr(Decoder, "as_array", refuse)
    monkeypatch.setattr(pixels, "decode_with_gdcm", lambda *_: pytest.fail("GDCM was asked"))
    assert code_of(save(tmp_path, CASES["JPEG lossless SV1"].data)) == "undecodable"


def test_a_wrong_scan_header_is_mended_and_said(tmp_path: Path) -> None:
    radiograph = load_radiograph(save(tmp_path, CASES["JPEG extended, 12 bits, Se 0 in its scan header"].data))
    assert any("scan header" in warning for warning in radiograph.warnings)
    right = load_radiograph(save(tmp_path, CASES["JPEG extended, 12 bits"].data))
    assert not any("scan header" in warning for warning in right.warnings)
    np.testing.assert_array_equal(radiograph.pixels, right.pixels)


@pytest.mark.parametrize("name", ["JPEG extended, 12 bits", "JPEG lossless SV1", "JPEG 2000 lossless", "RLE, 8 bits"])
def test_nothing_is_mended_that_is_right(name: str) -> None:
    data = pydicom.dcmread(io.BytesIO(CASES[name].data)).PixelData
    assert with_whole_scan(data) is data


def test_frame_headers_are_read() -> None:
    found = jpeg_frame(pydicom.dcmread(io.BytesIO(CASES["JPEG extended, 12 bits"].data)).PixelData)
    assert found is not None
    assert (found[1].marker, found[1].precision, found[1].rows, found[1].columns) == (0xC1, 12, 48, 40)


def test_the_baseline_encoder_of_the_tests_is_read_by_another_codec() -> None:
    picture = Image.open(io.BytesIO(sequential_jpeg(SMOOTH, 8)))
    assert np.abs(np.asarray(picture).astype(int) - SMOOTH).max() <= 1


def test_the_lossless_encoder_wraps_differences_of_sixteen_bits(tmp_path: Path) -> None:
    from medcam.dicom.file_classes.build import encapsulated, image

    noise = np.random.default_rng(0).integers(0, 65536, (40, 30)).astype(np.uint16)
    noise[0, :3] = 0, 65535, 32768
    data = encapsulated(image(noise), "1.2.840.10008.1.2.4.70", lossless_jpeg(noise, 16))
    np.testing.assert_array_equal(load_radiograph(save(tmp_path, data)).pixels, noise)


def test_standard_error_is_silent_and_then_is_back(capfd: pytest.CaptureFixture[str]) -> None:
    with silent_stderr():
        os.write(2, b"noise")
    os.write(2, b"after")
    assert capfd.readouterr().err == "after"
