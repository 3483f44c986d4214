"""Pictures for Secondary Captures: they fit, and what must be said can be read."""

from __future__ import annotations

import numpy as np
import pytest

from medcam.core.errors import InvalidValueError
from medcam.overlay.capture import draw_capture
from medcam.overlay.film import Film
from medcam.overlay.typeset import AMBER, BACKGROUND

from .conftest import CARD, MODEL, NORMAL, STRANGE, MakeFilm, MakeFinding


@pytest.mark.parametrize("size", [(300, 240), (240, 600), (900, 150)])
@pytest.mark.parametrize("count", [1, 2, 3, 8, 14])
@pytest.mark.parametrize("long_side", [512, 1024])
def test_it_fits(
    make_film: MakeFilm, make_finding: MakeFinding, size: tuple[int, int], count: int, long_side: int
) -> None:
    film = make_film(*size)
    picture = draw_capture(
        Film.of(film, 1024), [(make_finding(film), CARD)] * count, MODEL, STRANGE, long_side=long_side
    )
    assert max(picture.shape[:2]) <= long_side
    assert picture.shape[2] == 3


def test_films_stand_as_large_as_they_can(make_film: MakeFilm, make_finding: MakeFinding) -> None:
    """One film and one finding, both square: side by side they nearly fill the width."""
    film = make_film(400, 400)
    picture = draw_capture(Film.of(film, 1024), [(make_finding(film), CARD)], MODEL, NORMAL)
    seen = np.abs(picture.astype(int) - np.array(BACKGROUND)).max(axis=2) > 12
    assert seen[picture.shape[0] // 2].mean() > 0.85


def test_the_map_is_drawn_on_the_second_film_alone(make_film: MakeFilm, make_finding: MakeFinding) -> None:
    film = make_film(400, 400)
    picture = draw_capture(Film.of(film, 1024), [(make_finding(film), CARD)], MODEL, NORMAL).astype(int)
    coloured = (picture.max(axis=2) - picture.min(axis=2)) > 40
    middle = picture.shape[1] // 2
    assert not coloured[:, :middle].any()
    assert coloured[:, middle:].sum() > 500


def test_a_flagged_film_has_a_warning_over_it(make_film: MakeFilm, make_finding: MakeFinding) -> None:
    film = make_film(400, 400)
    shown = [(make_finding(film, present=None), CARD)]
    warned, calm = (draw_capture(Film.of(film, 1024), shown, MODEL, ood) for ood in (STRANGE, NORMAL))
    assert (warned[4] == AMBER).all(axis=1).mean() > 0.9
    assert not (calm[4] == AMBER).all(axis=1).any()


def test_what_cannot_be_drawn_is_refused(make_film: MakeFilm, make_finding: MakeFinding) -> None:
    film = make_film()
    with pytest.raises(InvalidValueError, match="finding"):
        draw_capture(Film.of(film), [], MODEL, NORMAL)
    with pytest.raises(InvalidValueError, match="512"):
        draw_capture(Film.of(film), [(make_finding(film), CARD)], MODEL, NORMAL, long_side=300)
