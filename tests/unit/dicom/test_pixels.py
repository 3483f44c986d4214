"""Codecs, colour, and transfer syntaxes that say the wrong thing."""

from __future__ import annotations

import io
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import UID, JPEGLSLossless, RLELossless

from medcam.dicom import (
    PixelDataError,
    load_radiograph,
    part10,
    pixels,
    radiograph_from_dataset,
)
from medcam.dicom.pixels import _plugin

from .builders import ENCODERS, STORED, encoded, film, frame, image, save, with_codec


@pytest.mark.parametrize("syntax", ENCODERS)
@pytest.mark.parametrize("bits", [8, 10, 12, 13, 16])
@pytest.mark.parametrize("signed", [False, True])
def test_lossless_codecs(tmp_path: Path, syntax: str, bits: int, *, signed: bool) -> None:
    low = -(1 << (bits - 1)) if signed else 0
    kind = {(False, False): "u2", (True, False): "i2", (False, True): "u1", (True, True): "i1"}[signed, bits == 8]
    stored = np.random.default_rng(bits).integers(low, low + (1 << bits), (75, 67)).astype(kind)
    stored[0, :2] = low, low + (1 << bits) - 1
    dataset = with_codec(image(stored, bits=bits), syntax, frame(syntax, stored, bits))
    np.testing.assert_array_equal(load_radiograph(save(tmp_path, encoded(dataset))).pixels, stored)


def test_jpeg_ls_is_decoded_by_charls_and_by_libjpeg_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = with_codec(film(), JPEGLSLossless, frame(JPEGLSLossless, STORED, 12))
    path = save(tmp_path, encoded(dataset))
    by_charls = load_radiograph(path).pixels
    asked: list[str] = []

    def without_charls(syntax: UID, available: tuple[str, ...]) -> str:
        asked.append(_plugin(syntax, available))
        assert not _plugin(syntax, ("pylibjpeg",))
        return "pylibjpeg"

    monkeypatch.setattr(pixels, "_plugin", without_charls)
    np.testing.assert_array_equal(load_radiograph(path).pixels, by_charls)
    np.testing.assert_array_equal(by_charls, STORED)
    assert asked == ["pyjpegls"]


def test_rle_is_decoded_quickly_and_damaged_rle_as_pydicom_does(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, chance = frame(RLELossless, STORED, 12), random.Random(5)
    dataset, quick, decoded = with_codec(film(), RLELossless, whole), pixels._quick_rle, []

    def watched(*arguments: Any) -> Any:
        decoded.append(quick(*arguments) is not None)
        return quick(*arguments)

    def read(frame: bytes) -> object:
        dataset.PixelData = encapsulate([frame])
        try:
            return radiograph_from_dataset(dataset).pixels.tobytes()
        except PixelDataError as error:
            return error.code

    frames = [whole]
    for _ in range(150):
        changed = bytearray(whole)
        changed[chance.choice((0, 1, 3, 4, 9, chance.randrange(64, len(whole))))] = chance.randrange(256)
        frames.append(bytes(changed[: chance.choice((len(whole), len(whole), chance.randrange(2, len(whole))))]))
    monkeypatch.setattr(pixels, "_quick_rle", watched)
    found = [read(one) for one in frames]
    assert decoded[0]
    assert 20 < sum(decoded) < len(frames)
    monkeypatch.setattr(pixels, "_quick_rle", lambda *_: None)
    assert found == [read(one) for one in frames]
    assert found[0] == STORED.astype(np.float32).tobytes()
    assert "undecodable" in found


@pytest.mark.parametrize("syntax", ENCODERS)
def test_the_codec_is_found_out_where_the_header_names_none(tmp_path: Path, syntax: str) -> None:
    dataset = with_codec(film(), syntax, frame(syntax, STORED, 12))
    dataset.file_meta.TransferSyntaxUID = UID(part10.EXPLICIT_LITTLE)
    bare = encoded(dataset, meta=False)
    for data in (bare, bytes(128) + b"DICM" + bare):
        radiograph = load_radiograph(save(tmp_path, data))
        np.testing.assert_array_equal(radiograph.pixels, STORED)
        assert any("transfer syntax" in warning for warning in radiograph.warnings)


def test_a_codec_named_for_pixels_that_are_not_compressed(tmp_path: Path) -> None:
    dataset = film()
    dataset.file_meta.TransferSyntaxUID = UID("1.2.840.10008.1.2.4.70")
    radiograph = radiograph_from_dataset(dataset)
    np.testing.assert_array_equal(radiograph.pixels, STORED)
    assert any("not compressed" in warning for warning in radiograph.warnings)


@pytest.mark.parametrize(("mode", "photometric"), [("L", "MONOCHROME2"), ("RGB", "YBR_FULL_422")])
def test_baseline_jpeg(tmp_path: Path, mode: str, photometric: str) -> None:
    smooth = np.add.outer(np.arange(64), np.arange(48)).astype(np.uint8)
    picture = smooth if mode == "L" else np.repeat(smooth[..., None], 3, axis=2)
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=100)
    dataset = with_codec(
        image(picture, PhotometricInterpretation=photometric), "1.2.840.10008.1.2.4.50", buffer.getvalue()
    )
    radiograph = load_radiograph(save(tmp_path, encoded(dataset)))
    assert np.abs(radiograph.pixels - smooth).max() <= 2


def test_rgb_becomes_luminance_with_a_warning(tmp_path: Path) -> None:
    picture = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [77, 77, 77]]], np.uint8)
    radiograph = load_radiograph(save(tmp_path, encoded(image(picture))))
    # .299, .587 and .114 of 255
    np.testing.assert_allclose(radiograph.pixels[0], [76.245, 149.685, 29.07, 77], rtol=1e-5)
    np.testing.assert_array_equal(radiograph.display()[0], [76, 150, 29, 77])
    assert any("colour" in warning for warning in radiograph.warnings)


def test_planar_rgb(tmp_path: Path) -> None:
    picture = np.array([[[1, 2, 3], [9, 9, 9]], [[0, 0, 0], [4, 4, 4]]], np.uint8)
    dataset = image(picture, PlanarConfiguration=1)
    dataset.PixelData = np.moveaxis(picture, 2, 0).tobytes()
    pixels = load_radiograph(save(tmp_path, encoded(dataset))).pixels
    np.testing.assert_allclose(pixels, [[0.299 + 2 * 0.587 + 3 * 0.114, 9], [0, 4]], rtol=1e-5)


def test_ybr_full(tmp_path: Path) -> None:
    picture = np.full((4, 4, 3), 128, np.uint8)
    picture[..., 0] = np.arange(16, dtype=np.uint8).reshape(4, 4) * 10
    dataset = image(picture, PhotometricInterpretation="YBR_FULL")
    pixels = load_radiograph(save(tmp_path, encoded(dataset))).pixels
    np.testing.assert_array_equal(pixels, picture[..., 0])


def test_palette(tmp_path: Path) -> None:
    dataset = image(np.array([[0, 1, 2, 1]], np.uint8), PhotometricInterpretation="PALETTE COLOR")
    for colour in ("Red", "Green", "Blue"):
        setattr(dataset, f"{colour}PaletteColorLookupTableDescriptor", [3, 0, 16])
        data = np.array([0, 30000, 65535], "<u2").tobytes()
        setattr(dataset, f"{colour}PaletteColorLookupTableData", data)
    radiograph = load_radiograph(save(tmp_path, encoded(dataset)))
    np.testing.assert_array_equal(radiograph.pixels[0], [0, 30000, 65535, 30000])
    assert radiograph.display()[0, 2] == 255


def test_a_codestream_of_another_size_is_not_given_to_the_codec() -> None:
    for syntax in ("1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.90"):
        dataset = with_codec(film(Rows=24), syntax, frame(syntax, STORED, 12))
        with pytest.raises(PixelDataError) as caught:
            radiograph_from_dataset(dataset)
        assert caught.value.code == "undecodable"
        assert "another size" in caught.value.message


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.4.100", "1.2.840.10008.1.2.4.110", "1.2.3.4"])
def test_unsupported_transfer_syntaxes(syntax: str) -> None:
    dataset = with_codec(film(), syntax, b"\0\1\2\3")
    with pytest.raises(PixelDataError) as caught:
        radiograph_from_dataset(dataset)
    assert caught.value.code == "unsupported-transfer-syntax"


def test_an_unknown_codec_is_not_guessed() -> None:
    dataset = with_codec(film(), part10.EXPLICIT_LITTLE, b"\7\7\7\7\7\7\7\7")
    with pytest.raises(PixelDataError) as caught:
        radiograph_from_dataset(dataset)
    assert caught.value.code == "unsupported-transfer-syntax"


@pytest.mark.parametrize(
    ("syntax", "code"), list(zip(ENCODERS, ["undecodable", "truncated-pixel-data", "undecodable"], strict=True))
)
def test_frames_cut_short_within_their_item(syntax: str, code: str) -> None:
    good = frame(syntax, STORED, 12)
    dataset = with_codec(film(), syntax, good[: len(good) // 2])
    with pytest.raises(PixelDataError) as caught:
        radiograph_from_dataset(dataset)
    assert caught.value.code == code


def test_a_jpeg_cut_short_is_not_filled_with_grey() -> None:
    buffer = io.BytesIO()
    Image.fromarray((STORED // 16).astype(np.uint8)).save(buffer, "JPEG")
    cut = buffer.getvalue()[: len(buffer.getvalue()) * 3 // 4]
    dataset = with_codec(image((STORED // 16).astype(np.uint8)), "1.2.840.10008.1.2.4.50", cut)
    with pytest.raises(PixelDataError) as caught:
        radiograph_from_dataset(dataset)
    assert caught.value.code == "truncated-pixel-data"
