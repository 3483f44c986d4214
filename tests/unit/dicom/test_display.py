"""What is shown of a film: windows, VOI LUTs and what stands in for bad ones; each value was worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom.dataset import Dataset

from medcam.core.display import VoiFunction
from medcam.dicom import radiograph_from_dataset

from .builders import U16, image, ramp, table

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


def test_a_broken_voi_lut_falls_back_with_a_warning() -> None:
    radiograph = radiograph_from_dataset(image(ramp(0, 9), bits=12, VOILUTSequence=[Dataset()]))
    assert radiograph.window.source == "percentiles"
    assert any("VOI LUT" in warning for warning in radiograph.warnings)
