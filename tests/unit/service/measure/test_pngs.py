import numpy as np
import pytest

from medcam import load_model
from medcam.core.display import DisplayWindow
from medcam.core.errors import UsageError
from medcam.core.radiograph import Radiograph
from medcam.service.measure.pngs import FIRST, OURS, measure_pngs, ways


def _film(seed: int) -> Radiograph:
    rng = np.random.default_rng(seed)
    pixels = rng.normal(1000, 200, (320, 280)).clip(0, 4095).astype(np.float32)
    return Radiograph(pixels, DisplayWindow(center=1000.0, width=1600.0))


def test_every_way_is_measured_beside_the_first() -> None:
    encoders = {"half": lambda _: b"12345", "whole": lambda _: b"1234567890"}
    found = measure_pngs([_film(1), _film(2)], load_model("phantom"), encoders)
    assert (found["films"], found["pictures"]) == (2, 2 * 8)
    assert found["ways"]["half"]["part of the time"] == [1.0, 1.0, 1.0]
    assert found["ways"]["whole"]["part of the size"] == [2.0, 2.0, 2.0]
    assert found["ways"]["whole"]["kB"][0] == pytest.approx(0.01)


def test_ways_begin_with_what_they_are_held_against_and_pack_a_picture() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (40, 30, 3), dtype=np.uint8)
    found = ways()
    assert list(found)[:2] == [FIRST, OURS]
    assert all(len(encode(picture)) > 1000 for encode in found.values())


def test_one_film_is_not_enough() -> None:
    with pytest.raises(UsageError, match="two films"):
        measure_pngs([_film(1)], load_model("phantom"), ways())
