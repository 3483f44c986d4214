"""The same classes against numbers that no program worked out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from medcam.dicom import load_radiograph

from ..builders import save
from .by_hand import PIXELS, SECOND_ROW, SHOWN
from .test_classes import CASES


@pytest.mark.parametrize("name", PIXELS)
def test_pixels(tmp_path: Path, name: str) -> None:
    pixels = load_radiograph(save(tmp_path, CASES[name].data)).pixels
    np.testing.assert_array_equal(pixels[0][: len(PIXELS[name])], np.array(PIXELS[name], np.float32))


@pytest.mark.parametrize(
    ("name", "row", "expected"),
    [(name, 0, row) for name, row in SHOWN.items()] + [(name, 1, row) for name, row in SECOND_ROW.items()],
)
def test_display(tmp_path: Path, name: str, row: int, expected: list[int]) -> None:
    shown = load_radiograph(save(tmp_path, CASES[name].data)).display()[row].astype(int)
    # A brightness of exactly half a level may be rounded either way.
    assert np.abs(shown - expected).max() <= (1 if "MONOCHROME1" in name else 0)
