"""The grey-scale pipeline over classes of files, from stored to modality values; each was worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom.dataset import Dataset

from medcam.dicom import PixelDataError, radiograph_from_dataset

from .builders import U16, image, ramp, table

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
