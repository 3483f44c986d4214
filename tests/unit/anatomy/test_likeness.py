"""Films that look like frontal chest films, and others."""

from __future__ import annotations

import numpy as np
import pytest

from medcam.anatomy import UNLIKELY, chest_likeness
from medcam.core.display import DisplayWindow
from medcam.core.radiograph import Radiograph
from medcam.phantom import render, sample_case


def film(pixels: np.ndarray, **attributes: object) -> Radiograph:
    return Radiograph(np.asarray(pixels, dtype=np.float32), DisplayWindow(center=0.5, width=1.0), **attributes)


@pytest.fixture(scope="module")
def chest() -> np.ndarray:
    return render(sample_case(31, 4), 256).linear


def test_a_chest_looks_like_one(chest: np.ndarray) -> None:
    assert chest_likeness(film(chest)) > 10 * UNLIKELY


def test_a_chest_upside_down_does_not_unless_its_orientation_says_so(chest: np.ndarray) -> None:
    turned = np.rot90(chest, 2)
    assert chest_likeness(film(turned)) < chest_likeness(film(chest)) / 2
    assert chest_likeness(film(turned, patient_orientation=("R", "H"))) == pytest.approx(chest_likeness(film(chest)))


@pytest.mark.parametrize("pixels", [np.zeros((200, 200)), np.ones((300, 20)), np.full((90, 90), 7.0)])
def test_where_there_is_nothing_to_see_there_is_no_chest(pixels: np.ndarray) -> None:
    assert chest_likeness(film(pixels)) == 0.0


@pytest.mark.parametrize("pattern", ["noise", "rows", "columns"])
def test_test_patterns_are_no_chest(pattern: str) -> None:
    y, x = np.mgrid[0:256, 0:200]
    noise = np.random.default_rng(0).random((256, 200))
    pixels = {"noise": noise, "rows": (y // 25) % 2, "columns": (x // 25) % 2}[pattern]
    assert chest_likeness(film(pixels)) < UNLIKELY
