"""Every class of files: the values of the standard's formulas, or the refusal that it deserves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from medcam.core.radiograph import Radiograph
from medcam.dicom import load_radiograph
from medcam.dicom.file_classes import FileClass, file_classes

from ..builders import code_of, save

CASES = {case.name: case for case in file_classes()}
READ = [name for name, case in CASES.items() if not case.refused]
REFUSED = [name for name, case in CASES.items() if case.refused]


def load(case: FileClass, folder: Path) -> Radiograph:
    return load_radiograph(save(folder, case.data))


def test_no_two_classes_have_one_name() -> None:
    assert len(file_classes()) == len(CASES)


@pytest.mark.parametrize("name", READ)
def test_values(tmp_path: Path, name: str) -> None:
    case = CASES[name]
    pixels = load(case, tmp_path).pixels
    assert case.values is not None
    assert pixels.shape == case.values.shape
    np.testing.assert_allclose(pixels, case.values, rtol=1e-6, atol=case.tolerance)


@pytest.mark.parametrize("name", [name for name in READ if CASES[name].shown is not None])
def test_brightness(tmp_path: Path, name: str) -> None:
    case = CASES[name]
    shown = load(case, tmp_path).display()
    assert case.shown is not None
    # 8 bits: half a level, and float32 where the exact value lies on the edge between two
    assert np.abs(shown - case.shown * 255).max() <= 0.5001


@pytest.mark.parametrize("name", READ)
def test_padding(tmp_path: Path, name: str) -> None:
    case = CASES[name]
    radiograph = load(case, tmp_path)
    if case.padding is None:
        assert radiograph.padding is None
    else:
        np.testing.assert_array_equal(radiograph.padding, case.padding)
        assert not radiograph.display()[case.padding].any()


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(tmp_path: Path, name: str) -> None:
    assert code_of(save(tmp_path, CASES[name].data)) == CASES[name].refused
