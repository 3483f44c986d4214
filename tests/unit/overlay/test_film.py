import numpy as np
import pytest

from medcam.core.errors import InvalidValueError
from medcam.core.radiograph import PixelSpacing
from medcam.overlay.film import Film, drawn_size

from .conftest import MakeFilm


@pytest.mark.parametrize(
    ("rows", "columns", "aspect", "wanted"),
    [
        (2500, 2048, 1.0, (1024, 839)),
        (2048, 2500, 1.0, (839, 1024)),
        (1000, 1000, 2.0, (1024, 512)),
        (1000, 2000, 3.0, (1024, 683)),
        (1, 5000, 1.0, (1, 1024)),
        (3, 2, 1.0, (1024, 683)),
    ],
)
def test_true_proportions(rows: int, columns: int, aspect: float, wanted: tuple[int, int]) -> None:
    assert drawn_size(rows, columns, aspect, 1024) == wanted


@pytest.mark.parametrize("size", [(1, 1), (5, 3), (2000, 30), (30, 2000), (1500, 1500)])
def test_any_size_of_film(size: tuple[int, int], make_film: MakeFilm) -> None:
    film = Film.of(make_film(*size), 256)
    assert max(film.grey.shape) == 256
    assert film.grey.dtype == np.uint8


def test_a_film_of_drawn_size_is_the_display_itself(make_film: MakeFilm) -> None:
    radiograph = make_film(300, 240)
    assert np.array_equal(Film.of(radiograph, 300).grey, radiograph.display())


def test_shrinking_averages_every_pixel(make_film: MakeFilm) -> None:
    radiograph = make_film(400, 400)
    blocks = radiograph.display().reshape(100, 4, 100, 4).mean(axis=(1, 3))
    assert np.abs(Film.of(radiograph, 100).grey - blocks).max() <= 0.51


def test_shrinking_one_axis_while_stretching_the_other_does_not_alias(make_film: MakeFilm) -> None:
    radiograph = make_film(2000, 10, spacing=PixelSpacing(0.1, 20.0))
    film = Film.of(radiograph, 200)
    assert film.grey.shape == (200, 200)
    assert film.grey.mean() == pytest.approx(radiograph.display().mean(), abs=1.5)


def test_points_follow_both_scales(make_film: MakeFilm) -> None:
    film = Film.of(make_film(100, 200, spacing=PixelSpacing(0.2, 0.1)), 400)
    assert film.grey.shape == (400, 400)
    assert film.points([(200, 100), (0, 0), (50, 25)]).tolist() == [[400, 400], [0, 0], [100, 100]]
    assert film.points([]).shape == (0, 2)


@pytest.mark.parametrize(
    ("orientation", "letters"), [(("L", "F"), ("R", "L")), (("R", "F"), ("L", "R")), ((), None), (("A", "F"), None)]
)
def test_the_patient_s_sides(orientation: tuple[str, ...], letters: tuple[str, str] | None, make_film) -> None:
    assert Film.of(make_film(orientation=orientation), 128).letters == letters


def test_padding_is_black(make_film: MakeFilm) -> None:
    padding = np.zeros((300, 240), dtype=bool)
    padding[:, 200:] = True
    assert not Film.of(make_film(padding=padding), 300).grey[:, 200:].any()


def test_refuses_a_picture_too_small_to_see(make_film: MakeFilm) -> None:
    with pytest.raises(InvalidValueError, match="long side"):
        Film.of(make_film(), 20)
