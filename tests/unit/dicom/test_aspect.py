"""Spacing and Pixel Aspect Ratio: the true proportions of a film."""

from __future__ import annotations

import pytest

from medcam.dicom import radiograph_from_dataset

from .builders import film


@pytest.mark.parametrize(
    ("attributes", "aspect"),
    [
        ({}, 1.0),
        ({"PixelSpacing": [0.2, 0.2]}, 1.0),
        ({"PixelSpacing": [0.3, 0.2]}, 1.5),
        ({"ImagerPixelSpacing": [0.2, 0.4]}, 0.5),
        ({"NominalScannedPixelSpacing": [0.4, 0.2]}, 2.0),
        ({"PixelAspectRatio": [3, 2]}, 1.5),
        ({"PixelAspectRatio": [1, 1]}, 1.0),
        # the spacing is the stronger word
        ({"PixelAspectRatio": [3, 2], "PixelSpacing": [0.2, 0.2]}, 1.0),
        # a spacing of zero is none
        ({"PixelSpacing": [0, 0], "ImagerPixelSpacing": [0.3, 0.2]}, 1.5),
        ({"PixelSpacing": [0, 0], "PixelAspectRatio": [2, 1]}, 2.0),
    ],
)
def test_aspect(attributes: dict[str, list[float]], aspect: float) -> None:
    assert radiograph_from_dataset(film(**attributes)).pixel_aspect == pytest.approx(aspect)


@pytest.mark.parametrize("keyword", ["PixelSpacing", "ImagerPixelSpacing", "PixelAspectRatio"])
@pytest.mark.parametrize("values", [[1, 0], [-1, 2], [1], [9, 1]])
def test_impossible_proportions_are_ignored_with_a_warning(keyword: str, values: list[int]) -> None:
    radiograph = radiograph_from_dataset(film(**{keyword: values}))
    assert radiograph.pixel_aspect == 1.0
    assert radiograph.spacing is None
    assert any(keyword in warning for warning in radiograph.warnings)
