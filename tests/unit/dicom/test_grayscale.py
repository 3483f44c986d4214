"""The grey-scale pipeline over classes of files; every expected value was worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom.dataset import Dataset

from medcam.core.display import VoiFunction
from medcam.dicom import PixelDataError, radiograph_from_dataset

from .builders import image, table

U16 = np.uint16


def ramp(*values: int, dtype: type = U16) -> np.ndarray:
    return np.array([values], dtype=dtype)


CASES = {
    "plain": (lambda: image(ramp(0, 1, 4095), bits=12), [0, 1, 4095]),
    "8 bits": (lambda: image(ramp(0, 7, 255, dtype=np.uint8)), [0, 7, 255]),
    "32 bits": (lambda: image(ramp(0, 70000, 1 << 20, dtype=np.uint32)), [0, 70000, 1 << 20]),
    # 4095 - value
    "MONOCHROME1": (
        lambda: image(ramp(0, 1, 4095), bits=12, PhotometricInterpretation="MONOCHROME1"),
        [4095, 4094, 0],
    ),
    "INVERSE": (lambda: image(ramp(0, 1, 4095), bits=12, PresentationLUTShape="INVERSE"), [4095, 4094, 0]),
    "MONOCHROME1 and INVERSE are one inversion": (
        lambda: image(
            ramp(0, 1, 4095), bits=12, PhotometricInterpretation="MONOCHROME1", PresentationLUTShape="INVERSE"
        ),
        [4095, 4094, 0],
    ),
    "IDENTITY": (lambda: image(ramp(0, 9), bits=12, PresentationLUTShape="IDENTITY"), [0, 9]),
    "signed": (lambda: image(ramp(-2048, -1, 5, dtype=np.int16), bits=12), [-2048, -1, 5]),
    # the ends are -2048 and 2047, so inverted is -1 - value
    "signed MONOCHROME1": (
        lambda: image(ramp(-2048, -1, 2047, dtype=np.int16), bits=12, PhotometricInterpretation="MONOCHROME1"),
        [2047, 0, -2048],
    ),
    # 0x0FFF in 12 signed bits is -1, whatever the four bits above it hold
    "signed, not sign-extended": (
        lambda: image(np.array([[0x0FFF, 0x0800, 0x07FF]], U16), bits=12, PixelRepresentation=1),
        [-1, -2048, 2047],
    ),
    "stray high bits": (lambda: image(np.array([[0xF001, 0x1ABC, 0x0ABC]], U16), bits=12), [1, 0xABC, 0xABC]),
    # High Bit 15 and Bits Stored 12: the value lies in the upper twelve bits
    "high bit": (lambda: image(np.array([[0x1230, 0xFFFF]], U16), bits=12, HighBit=15), [0x123, 0xFFF]),
    "odd bits": (lambda: image(np.array([[0x8001, 0x7FFF]], U16), bits=15), [1, 0x7FFF]),
    # 2 v - 10
    "rescale": (lambda: image(ramp(0, 1, 100), bits=12, RescaleSlope="2", RescaleIntercept="-10"), [-10, -8, 190]),
    # ends 0 - 10 and 8190 - 10: 8170 - (2 v - 10)
    "rescale MONOCHROME1": (
        lambda: image(
            ramp(0, 1, 4095),
            bits=12,
            RescaleSlope="2",
            RescaleIntercept="-10",
            PhotometricInterpretation="MONOCHROME1",
        ),
        [8180, 8178, -10],
    ),
    "falling rescale": (
        lambda: image(ramp(0, 1, 4095), bits=12, RescaleSlope="-1", RescaleIntercept="4095"),
        [4095, 4094, 0],
    ),
    "Modality LUT": (
        lambda: image(
            ramp(0, 1, 2, 3, 9), bits=12, ModalityLUTSequence=[table([10, 20, 40], first=1, bits=16)], RescaleSlope="7"
        ),
        [10, 10, 20, 40, 40],
    ),
    "Modality LUT, OW": (
        lambda: image(ramp(0, 1), bits=12, ModalityLUTSequence=[table([300, 7], first=0, bits=16, data_vr="OW")]),
        [300, 7],
    ),
    "Modality LUT, bytes packed in OW": (
        lambda: image(ramp(0, 1, 2), bits=8, ModalityLUTSequence=[table([9, 8, 200], first=0, bits=8, data_vr="OW")]),
        [9, 8, 200],
    ),
    # -2 written as US is 65534
    "Modality LUT, signed first value": (
        lambda: image(
            ramp(-2, -1, 0, dtype=np.int16),
            bits=12,
            ModalityLUTSequence=[table([100, 200, 300], first=65534, bits=16)],
        ),
        [100, 200, 300],
    ),
    "Modality LUT, signed first value as SS": (
        lambda: image(
            ramp(-2, -1, 0, dtype=np.int16),
            bits=12,
            ModalityLUTSequence=[table([100, 200, 300], first=-2, bits=16, vr="SS")],
        ),
        [100, 200, 300],
    ),
    # a table falling from 900 to 100 already turns the film: smallest and largest entry add up to 1000
    "inverse Modality LUT": (
        lambda: image(ramp(0, 1, 2), bits=12, ModalityLUTSequence=[table([900, 500, 100], first=0, bits=16)]),
        [900, 500, 100],
    ),
    "inverse Modality LUT, MONOCHROME1": (
        lambda: image(
            ramp(0, 1, 2),
            bits=12,
            PhotometricInterpretation="MONOCHROME1",
            ModalityLUTSequence=[table([900, 500, 100], first=0, bits=16)],
        ),
        [100, 500, 900],
    ),
    # a VOI LUT that falls shows small values bright
    "inverse VOI LUT": (
        lambda: image(ramp(0, 1, 4095), bits=12, VOILUTSequence=[table([65535, 0], first=0, bits=16)]),
        [4095, 4094, 0],
    ),
    "inverse VOI LUT and MONOCHROME1 cancel": (
        lambda: image(
            ramp(0, 1, 4095),
            bits=12,
            PhotometricInterpretation="MONOCHROME1",
            VOILUTSequence=[table([65535, 0], first=0, bits=16)],
        ),
        [0, 1, 4095],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_pixels(name: str) -> None:
    build, expected = CASES[name]
    pixels = radiograph_from_dataset(build()).pixels
    assert pixels.dtype == np.float32
    np.testing.assert_array_equal(pixels[0], np.array(expected, np.float32))


def test_the_whole_sixteen_bit_table_has_zero_entries_in_its_descriptor() -> None:
    entries = list(range(65535, -1, -1))
    dataset = image(ramp(0, 1, 65535), ModalityLUTSequence=[table(entries, first=0, bits=16, data_vr="OW")])
    np.testing.assert_array_equal(radiograph_from_dataset(dataset).pixels[0], [65535, 65534, 0])


DISPLAYS = {
    # LINEAR 100/11: (v - 99.5) / 10 + 0.5, so 95 -> 0.05, 100 -> 0.55, 104.5 -> 1
    "LINEAR": ({"WindowCenter": "100", "WindowWidth": "11"}, [0, 0, 13, 140, 255]),
    # LINEAR_EXACT 100/11: (v - 100) / 11 + 0.5: 95 -> 0.0454.., 100 -> 0.5, 105 -> 0.9545..
    "LINEAR_EXACT": (
        {"WindowCenter": "100", "WindowWidth": "11", "VOILUTFunction": "LINEAR_EXACT"},
        [0, 0, 12, 128, 243],
    ),
    # SIGMOID 100/20: 1 / (1 + exp(-4 (v - 100) / 20)): 0 -> 0, 90 -> 0.1192, 95 -> 0.2689, 100 -> 0.5, 105 -> 0.7311
    "SIGMOID": (
        {"WindowCenter": "100", "WindowWidth": "20", "VOILUTFunction": "SIGMOID"},
        [0, 30, 69, 128, 186],
    ),
    "the first of several windows": (
        {"WindowCenter": ["100", "7"], "WindowWidth": ["11", "9"]},
        [0, 0, 13, 140, 255],
    ),
    # entries 0, 51, 255 of 255 for 95 and less, 96..., 97 and more
    "VOI LUT": ({"VOILUTSequence": [table([0, 51, 255], first=95, bits=8)]}, [0, 0, 0, 255, 255]),
    "VOI LUT before window": (
        {"VOILUTSequence": [table([0, 51, 255], first=99, bits=8)], "WindowCenter": "1", "WindowWidth": "2"},
        [0, 0, 0, 51, 255],
    ),
    # the standard's own words: the falling table is shown as it is
    "falling VOI LUT": ({"VOILUTSequence": [table([255, 51, 0], first=99, bits=8)]}, [255, 255, 255, 51, 0]),
    # ten bits in a sixteen-bit descriptor would be all but black
    "VOI LUT of fewer bits than it says": (
        {"VOILUTSequence": [table([0, 1023], first=99, bits=16)]},
        [0, 0, 0, 255, 255],
    ),
}


@pytest.mark.parametrize("name", DISPLAYS)
def test_display(name: str) -> None:
    attributes, expected = DISPLAYS[name]
    shown = radiograph_from_dataset(image(ramp(0, 90, 95, 100, 105), bits=12, **attributes)).display()
    np.testing.assert_array_equal(shown[0], expected)


@pytest.mark.parametrize("name", DISPLAYS)
def test_display_of_monochrome1_is_the_inverse_of_the_same_values(name: str) -> None:
    attributes, expected = DISPLAYS[name]
    dataset = image(ramp(0, 90, 95, 100, 105), bits=12, PhotometricInterpretation="MONOCHROME1", **attributes)
    shown = radiograph_from_dataset(dataset).display().astype(int)
    assert np.abs(shown[0] - (255 - np.array(expected))).max() <= 1  # rounding of .5 goes either way


def test_voi_lut_with_a_negative_first_value_works_in_modality_units() -> None:
    voi = [table([0, 102, 255], first=-1, bits=8, vr="SS")]
    dataset = image(ramp(9, 10, 11), bits=12, RescaleSlope="1", RescaleIntercept="-10", VOILUTSequence=voi)
    np.testing.assert_array_equal(radiograph_from_dataset(dataset).display()[0], [0, 102, 255])


def test_without_a_window_percentiles_are_shown_and_said() -> None:
    stored = np.arange(10000, dtype=U16).reshape(100, 100)
    radiograph = radiograph_from_dataset(image(stored, bits=14))
    assert radiograph.window.source == "percentiles"
    shown = radiograph.display()
    assert shown[0, 0] == 0
    assert shown[99, 99] == 255
    assert abs(int(shown[50, 0]) - 128) <= 1


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


@pytest.mark.parametrize(
    ("sign", "photometric", "warned"),
    [(1, "MONOCHROME1", False), (-1, "MONOCHROME2", False), (1, "MONOCHROME2", True), (-1, "MONOCHROME1", True)],
)
def test_intensity_sign_only_warns(sign: int, photometric: str, *, warned: bool) -> None:
    dataset = image(ramp(0, 9), bits=12, PhotometricInterpretation=photometric, PixelIntensityRelationshipSign=sign)
    radiograph = radiograph_from_dataset(dataset)
    assert any("Sign" in warning for warning in radiograph.warnings) is warned
    expected = [0, 9] if photometric == "MONOCHROME2" else [4095, 4086]
    np.testing.assert_array_equal(radiograph.pixels[0], expected)


@pytest.mark.parametrize("width", ["0", "-5", "0.5"])
def test_an_impossible_window_is_ignored_with_a_warning(width: str) -> None:
    radiograph = radiograph_from_dataset(image(ramp(0, 9), bits=12, WindowCenter="5", WindowWidth=width))
    assert radiograph.window.source == "percentiles"
    assert any("Window Width" in warning for warning in radiograph.warnings)


def test_an_unknown_voi_function_is_shown_as_linear_with_a_warning() -> None:
    dataset = image(ramp(0, 9), bits=12, WindowCenter="5", WindowWidth="4", VOILUTFunction="CUBIC")
    radiograph = radiograph_from_dataset(dataset)
    assert radiograph.window.function is VoiFunction.LINEAR
    assert any("VOI LUT Function" in warning for warning in radiograph.warnings)


def test_rescale_slope_zero_is_ignored_with_a_warning() -> None:
    radiograph = radiograph_from_dataset(image(ramp(0, 9), bits=12, RescaleSlope="0", RescaleIntercept="1"))
    np.testing.assert_array_equal(radiograph.pixels[0], [1, 10])
    assert any("Rescale Slope" in warning for warning in radiograph.warnings)


def test_rescaled_values_beyond_float32_are_refused() -> None:
    with pytest.raises(PixelDataError) as caught:
        radiograph_from_dataset(image(ramp(0, 9), bits=12, RescaleSlope="1e300"))
    assert caught.value.code == "invalid-attribute"


def test_a_broken_modality_lut_is_refused_since_polarity_hangs_on_it() -> None:
    item = Dataset()
    item.add_new("LUTDescriptor", "US", [3, 0])
    with pytest.raises(PixelDataError) as caught:
        radiograph_from_dataset(image(ramp(0, 9), bits=12, ModalityLUTSequence=[item]))
    assert caught.value.code == "invalid-lut"


def test_a_broken_voi_lut_falls_back_with_a_warning() -> None:
    radiograph = radiograph_from_dataset(image(ramp(0, 9), bits=12, VOILUTSequence=[Dataset()]))
    assert radiograph.window.source == "percentiles"
    assert any("VOI LUT" in warning for warning in radiograph.warnings)


def test_steps_are_told_in_order() -> None:
    dataset = image(
        ramp(0xF000, 1, 2), bits=12, PhotometricInterpretation="MONOCHROME1", WindowCenter="5", WindowWidth="4"
    )
    dataset.RescaleSlope, dataset.RescaleIntercept = "2", "0"
    dataset.add_new("PixelPaddingValue", "US", 2)
    steps = radiograph_from_dataset(dataset).steps
    words = ["Padding", "Bits Stored", "Rescale", "inverted once", "window"]
    assert [word in step for word, step in zip(words, steps, strict=True)] == [True] * len(words)


def test_the_data_set_is_left_alone() -> None:
    dataset = image(ramp(0xF000, 1), bits=12, PhotometricInterpretation="MONOCHROME1")
    before = dataset.to_json()
    radiograph_from_dataset(dataset)
    assert dataset.to_json() == before
