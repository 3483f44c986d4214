from dataclasses import replace

import numpy as np
import pytest

from medcam.core.errors import InvalidValueError
from medcam.core.geometry import GridTransform
from medcam.core.radiograph import PixelSpacing
from medcam.core.resample import Sampler
from medcam.overlay.film import Film
from medcam.overlay.marks import CONTOUR_COLOUR
from medcam.overlay.overlay import draw_film, draw_overlay
from medcam.overlay.typeset import AMBER

from .conftest import CARD, MODEL, NORMAL, STRANGE, MakeFilm, MakeFinding

SIDE = 512


def _film_part(picture: np.ndarray, film: Film) -> np.ndarray:
    """The film's place in a picture whose film block is as high as the picture or centred in it."""
    pad, gutter = round(12 * 0.75), round(42 * 0.75)
    block = film.height + gutter + pad
    top = (picture.shape[0] - block) // 2 + gutter
    return picture[top : top + film.height, pad : pad + film.width]


def _draw(film, finding, **options) -> np.ndarray:
    settings = {"card": CARD, "model": MODEL, "ood": NORMAL, "long_side": SIDE} | options
    return draw_overlay(film, finding, **settings)


def test_outside_the_coloured_area_the_film_is_untouched(make_film: MakeFilm, make_finding: MakeFinding) -> None:
    radiograph = make_film(300, 240)
    finding, film = make_finding(radiograph, regions=False), Film.of(radiograph, SIDE)
    shown = _film_part(_draw(radiograph, finding), film)
    values = Sampler.to_source(finding.map.transform, film.height, film.width).apply(finding.map.values)
    under = values <= 0.5 * values.max()
    assert 0.5 < under.mean() < 0.99
    assert np.array_equal(shown[under], np.repeat(film.grey[under][:, None], 3, axis=1))
    assert (shown[~under].max(axis=1) > shown[~under].min(axis=1)).all()


def test_nothing_but_the_regions_marks_is_drawn_on_the_film(make_film: MakeFilm, make_finding: MakeFinding) -> None:
    radiograph = make_film(300, 240)
    film = Film.of(radiograph, SIDE)
    bare = _film_part(_draw(radiograph, make_finding(radiograph, regions=False)), film)
    marked = _film_part(_draw(radiograph, make_finding(radiograph)), film)
    rows, columns = np.nonzero((bare != marked).any(axis=2))
    box = make_finding(radiograph).regions[0].box
    (left, top), (right, bottom) = film.points([box.corners[:2], box.corners[2:]])
    assert columns.min() >= left - 4
    assert columns.max() <= right + 4
    assert rows.min() >= top - 4
    assert rows.max() <= bottom + 4
    assert (marked == CONTOUR_COLOUR).all(axis=2).any()


def test_absent_and_withheld_findings_are_drawn_quietly(make_film: MakeFilm, make_finding: MakeFinding) -> None:
    film = make_film()
    loud, absent, withheld = (_draw(film, make_finding(film, present=present)) for present in (True, False, None))
    part = slice(0, 300)
    assert (loud[:, part] == CONTOUR_COLOUR).all(axis=2).any()
    assert not (absent[:, part] == CONTOUR_COLOUR).all(axis=2).any()
    assert np.array_equal(absent[:, part], withheld[:, part])


def test_regions_of_the_card_s_rule_are_drawn(make_film: MakeFilm, make_finding: MakeFinding) -> None:
    film = make_film()
    finding = make_finding(film)
    other = replace(finding.regions[0], rule="paper", share=0.9)
    with_other = replace(finding, regions=(*finding.regions, other))
    assert np.array_equal(_draw(film, with_other), _draw(film, finding))


def test_the_scale_is_absolute_unless_asked(make_film: MakeFilm, make_finding: MakeFinding) -> None:
    radiograph = make_film(300, 240)
    film = Film.of(radiograph, SIDE)

    def strongest(height: float, scale: str) -> float:
        part = _film_part(_draw(radiograph, make_finding(radiograph, height, regions=False), scale=scale), film)
        return float(np.ptp(part.astype(int), axis=2).max())

    assert strongest(1.0, "model") < 0.7 * strongest(10.0, "model")
    assert strongest(1.0, "image") == pytest.approx(strongest(10.0, "image"), rel=0.15)


@pytest.mark.parametrize("flagged", [True, False])
def test_a_strange_input_gets_a_strip_over_everything(flagged: bool, make_film, make_finding) -> None:
    film = make_film()
    picture = _draw(film, make_finding(film, present=None if flagged else True), ood=STRANGE if flagged else NORMAL)
    strip = (picture[:20] == AMBER).all(axis=2)
    assert (strip.mean() > 0.5) == flagged
    if flagged:
        usual = _draw(film, make_finding(film, present=None), ood=NORMAL)
        assert np.array_equal(picture[-usual.shape[0] :], usual)


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (900, 40), (40, 900), (1200, 1000)])
@pytest.mark.parametrize("height", [8.0, -3.0])
def test_any_film_and_any_map(size: tuple[int, int], height: float, make_film, make_finding) -> None:
    film = make_film(*size)
    picture = _draw(film, make_finding(film, height), long_side=256, signed=height < 0)
    assert picture.dtype == np.uint8
    assert picture.ndim == 3
    assert picture.shape[0] >= 256 or size[0] < size[1]


def test_all_evidence_against_leaves_the_film_grey(make_film: MakeFilm, make_finding: MakeFinding) -> None:
    radiograph = make_film(300, 240)
    film = Film.of(radiograph, SIDE)
    none = make_finding(radiograph, -2.0, regions=False, present=False)
    assert np.array_equal(_film_part(_draw(radiograph, none), film), np.repeat(film.grey[:, :, None], 3, axis=2))


def test_a_flagged_crop_shows_what_the_model_saw(make_film: MakeFilm, make_finding: MakeFinding) -> None:
    radiograph = make_film(400, 400)
    film = Film.of(radiograph, SIDE)
    cropped = GridTransform.identity(400, 400).crop(100, 100, 200, 200).resize(16, 16)
    shown = _film_part(_draw(radiograph, make_finding(radiograph, -1.0, regions=False, transform=cropped)), film)
    changed = (shown != film.grey[:, :, None]).any(axis=2)
    rows, columns = np.nonzero(changed)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == pytest.approx((128, 384, 128, 384), abs=4)
    assert not changed[140:370, 140:370].any()


def test_unequal_spacing_is_drawn_in_proportion(make_film: MakeFilm, make_finding: MakeFinding) -> None:
    radiograph = make_film(200, 200, spacing=PixelSpacing(0.2, 0.1))
    film = Film.of(radiograph, SIDE)
    assert (film.height, film.width) == (512, 256)
    shown = _film_part(_draw(radiograph, make_finding(radiograph, regions=False)), film)
    rows, columns = np.nonzero(np.ptp(shown.astype(int), axis=2) > 8)
    # A blob that is round in cells is twice as high as wide.
    assert (np.ptp(rows) + 1) / (np.ptp(columns) + 1) == pytest.approx(2.0, rel=0.1)


def test_one_film_serves_several_findings(make_film: MakeFilm, make_finding: MakeFinding) -> None:
    radiograph = make_film()
    finding = make_finding(radiograph)
    assert np.array_equal(_draw(Film.of(radiograph, SIDE), finding), _draw(radiograph, finding))


def test_equal_calls_give_equal_pictures(make_film: MakeFilm, make_finding: MakeFinding) -> None:
    film = make_film()
    assert np.array_equal(_draw(film, make_finding(film)), _draw(film, make_finding(film)))


def test_without_a_card_or_a_ledger_it_still_draws(make_film: MakeFilm, make_finding: MakeFinding) -> None:
    film = make_film()
    with_card = _draw(film, make_finding(film, evidence=False))
    assert not np.array_equal(_draw(film, make_finding(film, evidence=False), card=None), with_card)


def test_what_does_not_belong_together_is_refused(make_film: MakeFilm, make_finding: MakeFinding) -> None:
    film = make_film()
    with pytest.raises(InvalidValueError, match="does not describe"):
        _draw(film, make_finding(film), card=replace(CARD, name="mass"))
    with pytest.raises(InvalidValueError, match="another size"):
        _draw(make_film(100, 100), make_finding(film))


def test_a_plain_film_has_its_letters_above(make_film: MakeFilm) -> None:
    radiograph = make_film(300, 240)
    picture, film = draw_film(radiograph, long_side=SIDE), Film.of(radiograph, SIDE)
    gutter, pad = round(42 * 0.75), round(12 * 0.75)
    assert np.array_equal(picture[gutter:-pad, pad:-pad], np.repeat(film.grey[:, :, None], 3, axis=2))
    assert picture[:gutter, :50].max() > 150
    assert picture[:gutter, -50:].max() > 150
