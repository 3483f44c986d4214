"""Padding by value and by range is found and masked before anything else; each value was worked out by hand."""

from __future__ import annotations

import numpy as np

from medcam.dicom import radiograph_from_dataset

from .builders import image, ramp


def test_padding_is_masked_before_anything_else() -> None:
    stored = ramp(0, 0, 100, 200, 4095)
    dataset = image(stored, bits=12, PhotometricInterpretation="MONOCHROME1", WindowCenter="150", WindowWidth="100")
    dataset.add_new("PixelPaddingValue", "US", 0)
    radiograph = radiograph_from_dataset(dataset)
    assert radiograph.padding is not None
    np.testing.assert_array_equal(radiograph.padding[0], [True, True, False, False, False])
    # 4095 - v; padding takes the darkest of the rest (0) instead of the brightest value there is
    np.testing.assert_array_equal(radiograph.pixels[0], [0, 0, 3995, 3895, 0])
    shown = radiograph.display()[0]
    assert list(shown[:2]) == [0, 0]
    assert shown[2] == 255
    assert shown[4] == 0


def test_padding_range() -> None:
    dataset = image(ramp(0, 4, 5, 6, 100), bits=12)
    dataset.add_new("PixelPaddingValue", "US", 5)
    dataset.add_new("PixelPaddingRangeLimit", "US", 0)
    radiograph = radiograph_from_dataset(dataset)
    assert radiograph.padding is not None
    np.testing.assert_array_equal(radiograph.padding[0], [True, True, True, False, False])


def test_signed_padding_stored_as_unsigned() -> None:
    dataset = image(ramp(-2000, -5, 7, dtype=np.int16))
    dataset.add_new("PixelPaddingValue", "US", 63536)
    radiograph = radiograph_from_dataset(dataset)
    assert radiograph.padding is not None
    np.testing.assert_array_equal(radiograph.padding[0], [True, False, False])
    np.testing.assert_array_equal(radiograph.pixels[0], [-5, -5, 7])


def test_padding_outside_the_stored_bits_is_found_in_the_container() -> None:
    dataset = image(ramp(0xF000, 0, 7), bits=12)
    dataset.add_new("PixelPaddingValue", "US", 0xF000)
    radiograph = radiograph_from_dataset(dataset)
    assert radiograph.padding is not None
    np.testing.assert_array_equal(radiograph.padding[0], [True, False, False])


def test_all_padding_is_no_padding() -> None:
    dataset = image(ramp(3, 3), bits=12)
    dataset.add_new("PixelPaddingValue", "US", 3)
    radiograph = radiograph_from_dataset(dataset)
    assert radiograph.padding is None
    assert any("padding" in warning for warning in radiograph.warnings)
