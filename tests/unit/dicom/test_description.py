"""Headers that contradict their pixels, and objects that are no images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from medcam.core.errors import NotAnImageError
from medcam.dicom import (
    PixelDataError,
    load_radiograph,
    radiograph_from_dataset,
)

from .builders import STORED, code_of, encoded, film, frame, save, with_codec


def test_header_without_pixels(tmp_path: Path) -> None:
    dataset = film()
    del dataset.PixelData
    assert code_of(save(tmp_path, encoded(dataset))) == "missing-pixel-data"


def test_empty_pixels() -> None:
    dataset = film()
    dataset.PixelData = b""
    with pytest.raises(PixelDataError) as caught:
        radiograph_from_dataset(dataset)
    assert caught.value.code == "truncated-pixel-data"


@pytest.mark.parametrize(
    ("claimed", "held", "code"),
    [
        (2, 2, "multi-frame"),
        (5, 1, "frame-count-mismatch"),
        (1, 2, "frame-count-mismatch"),
        (2, 0, "truncated-pixel-data"),
    ],
)
def test_frames(claimed: int, held: int, code: str) -> None:
    dataset = film(NumberOfFrames=claimed)
    dataset.PixelData = STORED.tobytes() * held or STORED.tobytes()[:100]
    with pytest.raises(PixelDataError) as caught:
        radiograph_from_dataset(dataset)
    assert caught.value.code == code


def test_compressed_frames() -> None:
    one = frame("1.2.840.10008.1.2.5", STORED, 12)
    for frames, code in (([one, one], "multi-frame"), ([one], "frame-count-mismatch")):
        dataset = with_codec(film(NumberOfFrames=2), "1.2.840.10008.1.2.5", *frames)
        with pytest.raises(PixelDataError) as caught:
            radiograph_from_dataset(dataset)
        assert caught.value.code == code


@pytest.mark.parametrize("frames", ["0", "-1"])
def test_a_frame_count_below_one_is_one_with_a_warning(frames: str) -> None:
    radiograph = radiograph_from_dataset(film(NumberOfFrames=frames))
    np.testing.assert_array_equal(radiograph.pixels, STORED)
    assert any("Number of Frames" in warning for warning in radiograph.warnings)


def test_excess_pixel_data_warn() -> None:
    dataset = film()
    dataset.PixelData = STORED.tobytes() + bytes(100)
    radiograph = radiograph_from_dataset(dataset)
    np.testing.assert_array_equal(radiograph.pixels, STORED)
    assert any("100 bytes longer" in warning for warning in radiograph.warnings)


@pytest.mark.parametrize(
    ("keyword", "value", "code"),
    [
        ("Rows", 0, "invalid-attribute"),
        ("Rows", None, "invalid-attribute"),
        ("BitsAllocated", None, "invalid-attribute"),
        ("BitsAllocated", 12, "unsupported-pixel-format"),
        ("BitsStored", 17, "invalid-attribute"),
        ("BitsStored", 0, "invalid-attribute"),
        ("HighBit", 16, "invalid-attribute"),
        ("HighBit", 3, "invalid-attribute"),
        ("SamplesPerPixel", 4, "unsupported-pixel-format"),
        ("PhotometricInterpretation", "HSV", "unsupported-photometric"),
        ("PhotometricInterpretation", "RGB", "unsupported-photometric"),
        ("Rows", 60000, "truncated-pixel-data"),
    ],
)
def test_impossible_descriptions(keyword: str, value: object, code: str) -> None:
    dataset = film()
    setattr(dataset, keyword, value)
    with pytest.raises(PixelDataError) as caught:
        radiograph_from_dataset(dataset)
    assert caught.value.code == code


def test_too_many_pixels_are_refused_before_decoding() -> None:
    dataset = film(Rows=65535, Columns=65535)
    with pytest.raises(PixelDataError) as caught:
        radiograph_from_dataset(dataset)
    assert caught.value.code == "too-large"


@pytest.mark.parametrize(
    "sop_class",
    [
        "1.2.840.10008.5.1.4.1.1.88.33",  # Comprehensive SR
        "1.2.840.10008.5.1.4.1.1.88.59",  # Key Object Selection
        "1.2.840.10008.5.1.4.1.1.11.1",  # Grayscale Softcopy Presentation State
        "1.2.840.10008.5.1.4.1.1.104.1",  # Encapsulated PDF
        "1.2.840.10008.5.1.4.1.1.66.4",  # Segmentation: has pixels, is no image of a patient
        "1.2.840.10008.5.1.4.1.1.481.2",  # RT Dose, likewise
        "1.2.840.10008.5.1.4.1.1.481.3",  # RT Structure Set
        "1.2.840.10008.1.3.10",  # DICOMDIR
    ],
)
def test_other_objects_are_passed_over(tmp_path: Path, sop_class: str) -> None:
    path = save(tmp_path, encoded(film(SOPClassUID=sop_class)))
    with pytest.raises(NotAnImageError) as caught:
        load_radiograph(path)
    assert caught.value.code == "not-an-image"


def test_float_pixels() -> None:
    dataset = film()
    del dataset.PixelData
    dataset.FloatPixelData = STORED.astype(np.float32).tobytes()
    with pytest.raises(PixelDataError) as caught:
        radiograph_from_dataset(dataset)
    assert caught.value.code == "unsupported-pixel-format"
