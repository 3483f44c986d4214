import numpy as np
import pytest

from medcam.core.errors import InvalidValueError
from medcam.overlay.sheet import contact_sheet, side_gutter
from medcam.overlay.typeset import BACKGROUND


def _ink(part: np.ndarray) -> int:
    return int((part.astype(int).max(axis=2) > 100).sum())


@pytest.mark.parametrize("letters", [("R", "L"), ("L", "R"), None])
def test_the_gutter_leaves_the_film_alone(letters: tuple[str, str] | None) -> None:
    film = np.random.default_rng(0).integers(0, 256, (200, 320, 3), dtype=np.uint8)
    picture = side_gutter(film, letters, 1.0)
    top, left = picture.shape[0] - 200 - 12, (picture.shape[1] - 320) // 2
    assert np.array_equal(picture[top : top + 200, left : left + 320], film)


def test_letters_stand_at_their_sides() -> None:
    film = np.zeros((100, 300, 3), np.uint8)
    usual, mirrored = side_gutter(film, ("R", "L"), 1.0)[:42], side_gutter(film, ("L", "R"), 1.0)[:42]
    assert not np.array_equal(usual, mirrored)
    for gutter in (usual, mirrored):
        assert _ink(gutter[:, :60]) > 20
        assert _ink(gutter[:, -60:]) > 20
        assert _ink(gutter[:, 60:-60]) == 0
    # An R has more ink than an L.
    assert _ink(usual[:, :60]) > _ink(usual[:, -60:])
    assert _ink(mirrored[:, :60]) < _ink(mirrored[:, -60:])


def test_an_unknown_orientation_is_said_and_no_side_is_named() -> None:
    gutter = side_gutter(np.zeros((100, 400, 3), np.uint8), None, 1.0)[:42]
    assert _ink(gutter[:, :60]) == _ink(gutter[:, -60:]) == 0
    assert _ink(gutter[:, 100:-100]) > 50


def test_a_narrow_film_gets_a_gutter_wide_enough_to_read() -> None:
    picture = side_gutter(np.full((100, 2, 3), 200, np.uint8), None, 1.0)
    assert picture.shape[1] > 100


def test_a_sheet_holds_every_picture() -> None:
    pictures = [np.full((10 + k, 20 - k, 3), 50 + k, np.uint8) for k in range(5)]
    sheet = contact_sheet([*pictures, np.full((4, 4), 200, np.uint8)], 4, gap=3)
    assert sheet.shape == (2 * (14 + 3) + 3, 4 * (20 + 3) + 3, 3)
    for k, picture in enumerate(pictures):
        assert (sheet == 50 + k).all(axis=2).sum() == picture.shape[0] * picture.shape[1]
    assert (sheet == 200).all(axis=2).sum() == 16
    assert tuple(sheet[0, 0]) == BACKGROUND


def test_a_sheet_of_nothing_is_refused() -> None:
    with pytest.raises(InvalidValueError):
        contact_sheet([], 3)
    with pytest.raises(InvalidValueError):
        contact_sheet([np.zeros((2, 2, 3), np.uint8)], 0)
