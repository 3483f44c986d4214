"""The steps of finding zones, each on what can be worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from medcam.anatomy.air import outer_air
from medcam.anatomy.atlas import LUNG_BOX, shipped_atlas
from medcam.anatomy.film import Orientation, normalise, working_film, working_shape
from medcam.anatomy.flank import flanks
from medcam.anatomy.grid import resample, shrink, wide_mean
from medcam.anatomy.lungs import largest, lay
from medcam.anatomy.quality import MIN_QUALITY, Agreement
from medcam.anatomy.register import register
from medcam.anatomy.search import find_lungs_roughly, local_contrast
from medcam.anatomy.sight import look, without_leaks

from .conftest import Found, film

GOOD = Agreement(0.8, 0.97, 2.5, 2.0, 0.9, 0.1, 2.0, 1.0)


def test_resampling_a_plane_is_exact_inside_and_continued_outside() -> None:
    plane = np.add.outer(3.0 * (np.arange(6) + 0.5), 2.0 * (np.arange(5) + 0.5)).astype(np.float32)
    rows, columns = np.array([0.5, 2.25, 5.5]), np.array([0.7, 4.1])
    assert resample(plane, rows, columns) == pytest.approx(np.add.outer(3 * rows, 2 * columns), abs=1e-4)
    assert resample(plane, np.array([-9.0]), np.array([0.5])) == pytest.approx(plane[:1, :1])


def test_shrinking_keeps_the_mean_and_the_place() -> None:
    image = np.zeros((120, 80), dtype=np.float32)
    image[30:60, 20:40] = 1.0
    small = shrink(image, 12, 8)
    assert small.mean() == pytest.approx(image.mean(), abs=1e-3)
    assert small[3:6, 2:4] == pytest.approx(1.0)


@pytest.mark.parametrize("reach", [2.0, 12.0])
def test_a_wide_mean_is_a_mean(reach: float) -> None:
    constant = wide_mean(np.full((96, 96), 0.7, dtype=np.float32), reach)
    assert constant[48, 48] == pytest.approx(0.7, rel=1e-2)
    assert constant[0, 0] < 0.4


@pytest.mark.parametrize("orientation", [Orientation(*flags) for flags in product((False, True), repeat=3)])
def test_bringing_a_film_upright_can_be_undone(orientation: Orientation) -> None:
    image = np.arange(12, dtype=np.float32).reshape(3, 4)
    assert np.array_equal(orientation.back(orientation.upright(image) > 5), image > 5)


def test_an_unsaid_orientation_is_the_usual_one() -> None:
    assert Orientation.of(()) == Orientation.of(("L", "F")) == Orientation()
    assert Orientation.of(("RA", "FP")) == Orientation(flip_x=True)


def test_normalising_forgets_the_scale_but_keeps_the_order() -> None:
    image = np.random.default_rng(0).random((40, 40), dtype=np.float32)
    shown = normalise(image)
    assert normalise(1000 * image + 7) == pytest.approx(shown, abs=2e-3)
    assert np.array_equal(np.argsort(shown.ravel())[100:-100] // 40, np.argsort(image.ravel())[100:-100] // 40)
    assert normalise(np.full((4, 4), 3.0, dtype=np.float32)) == pytest.approx(0.5)
    assert not normalise(image, np.zeros((40, 40), dtype=bool)).any()


def test_the_working_grid_has_192_pixels_along_its_longer_side() -> None:
    assert working_shape(3000, 2000) == (192, 128)
    assert working_shape(10, 5000) == (1, 192)
    # pixels twice as long as wide: 1500 of them are as tall as 3000
    assert working_shape(1500, 2000, 2.0) == (192, 128)
    assert Orientation(transpose=True).aspect(2.0) == 0.5


def test_padding_does_not_leak_into_the_working_picture() -> None:
    pixels, padding = np.full((384, 384), 0.5, dtype=np.float32), np.zeros((384, 384), dtype=bool)
    pixels[:, 100:] = np.linspace(0.2, 0.8, 284)
    reference = working_film(film(pixels)).values
    padding[:, :50] = True
    pixels[padding] = 1e6
    padded = working_film(film(pixels, padding=padding))
    assert not padded.valid[:, :25].any()
    assert padded.valid[:, 26:].all()
    assert np.corrcoef(padded.values[:, 30:].ravel(), reference[:, 30:].ravel())[0, 1] > 0.98


def test_outer_air_is_what_the_border_can_reach() -> None:
    image = np.full((60, 60), 0.8, dtype=np.float32)
    image[:, :8] = 0.0
    image[20:40, 20:30] = 0.0
    valid = np.ones((60, 60), dtype=bool)
    valid[:, -5:] = False
    air = outer_air(image, valid)
    assert air[:, :8].all()
    assert air[:, -5:].all()
    assert not air[:, 8:-5].any()
    # A bridge of two pixels does not join the lung to the air.
    image[29:31, 8:20] = 0.0
    assert not outer_air(image, valid)[20:40, 21:30].any()
    image[22:38, 8:20] = 0.0
    assert outer_air(image, valid)[25:35, 21:29].all()


def test_a_flank_ends_on_the_ridge_of_the_chest_wall() -> None:
    # From the left: outer air, a slope as dark as the lung at its foot, the chest wall's ridge at 40, the lung.
    row = np.interp(np.arange(80), [0, 10, 40, 50, 80], [0.0, 0.0, 0.9, 0.3, 0.3])
    image = np.broadcast_to(row, (50, 80)).astype(np.float32)
    air, cores = np.zeros((50, 80), dtype=bool), np.zeros((50, 80), dtype=bool)
    air[:, :10] = True
    cores[15:35, 60:70] = True
    flank = flanks(image, air, cores)
    assert flank[:, :38].all()
    assert not flank[:, 43:].any()
    assert np.array_equal(flanks(image, np.zeros_like(air), cores), np.zeros_like(air))
    assert np.array_equal(flanks(image, air, np.zeros_like(cores)), air)


def test_air_that_filled_a_lung_is_taken_back_and_a_little_is_not() -> None:
    lungs = np.zeros((10, 10), dtype=bool)
    lungs[:, :4] = True
    air = np.zeros((10, 10), dtype=bool)
    air[:8] = True
    assert not without_leaks(air, lungs)[:, :4].any()
    air[1:] = False
    assert np.array_equal(without_leaks(air, lungs), air)


def test_local_contrast_forgets_slow_brightness() -> None:
    known = np.ones((96, 96), dtype=bool)
    image = np.random.default_rng(1).random((96, 96), dtype=np.float32)
    slope = np.linspace(0, 2, 96, dtype=np.float32)[None]
    first, second = local_contrast(image, known, 8.0), local_contrast(image + slope, known, 8.0)
    assert np.corrcoef(first[20:-20, 20:-20].ravel(), second[20:-20, 20:-20].ravel())[0, 1] > 0.98
    assert not local_contrast(image, np.zeros((96, 96), dtype=bool), 8.0).any()


def test_the_largest_part_is_kept_and_its_holes_are_filled() -> None:
    mask = np.zeros((20, 20), dtype=bool)
    mask[2:12, 2:12] = True
    mask[5:7, 5:7] = False
    mask[15:18, 15:18] = True
    kept = largest(mask)
    assert kept.sum() == 100
    assert not kept[15:].any()
    assert not largest(np.zeros((3, 3), dtype=bool)).any()


@pytest.mark.parametrize("box", [(40.0, 30.0, 150.0, 130.0), (20.0, 20.0, 170.0, 160.0)])
def test_lungs_are_found_where_they_were_drawn(box: tuple[float, float, float, float]) -> None:
    atlas = shipped_atlas()
    drawn = (0.8 - 0.6 * lay(atlas.lungs, box, (192, 192))).astype(np.float32)
    known = np.ones((192, 192), dtype=bool)
    placement = find_lungs_roughly(drawn, known, atlas)
    assert placement.box == pytest.approx(box, abs=16)
    assert placement.score > 0.6


def test_what_is_seen_covers_most_of_the_lungs_and_little_else(found: list[Found]) -> None:
    spills = []
    for one in found:
        sight = look(working_film(film(one.phantom.linear)), shipped_atlas())
        lungs = np.any([one.true.masks[name] for name in one.true.masks if name.endswith("-lung")], axis=0)
        seen = sight.fields.both > 0.5
        assert (seen & lungs).sum() > 0.75 * lungs.sum()
        spills.append(float((seen & ~lungs).sum() / seen.sum()))
        assert min(sight.fields.shares) > 0.45
        assert sight.fields.separation > 1.0
    # Where the body's flank is as dark as a lung, some of it is taken for lung.
    assert np.median(spills) < 0.08
    assert max(spills) < 0.25


def test_registration_of_the_atlas_on_itself_moves_nothing() -> None:
    atlas = shipped_atlas()
    box = (30.0, 40.0, 160.0, 150.0)
    registration = register(lay(atlas.visible, box, (192, 192)), box, atlas)
    assert np.abs(registration.shift[:, 28:100, 28:100]).mean() < 0.7
    carried = registration.carry(atlas.lungs, (192, 192)) > 0.5
    laid = lay(atlas.lungs, box, (192, 192)) > 0.5
    assert (carried & laid).sum() / (carried | laid).sum() > 0.95


def test_registration_follows_lungs_that_stand_off_their_box() -> None:
    atlas = shipped_atlas()
    true, guess = (30.0, 40.0, 160.0, 150.0), (36.0, 37.0, 163.0, 144.0)
    registration = register(lay(atlas.visible, true, (192, 192)), guess, atlas)
    carried = registration.carry(atlas.lungs, (192, 192)) > 0.5
    laid, off = (lay(atlas.lungs, box, (192, 192)) > 0.5 for box in (true, guess))
    assert (carried & laid).sum() / (carried | laid).sum() > 0.93
    assert (off & laid).sum() / (off | laid).sum() < 0.9


def test_the_atlas_laid_on_its_own_frame_is_itself() -> None:
    atlas = shipped_atlas()
    assert lay(atlas.lungs, LUNG_BOX, (128, 128)) == pytest.approx(atlas.lungs, abs=1e-5)


def test_a_good_agreement_has_a_quality_of_1() -> None:
    assert GOOD.quality == 1.0
    assert replace(GOOD, below=None).quality == 1.0


@pytest.mark.parametrize(
    "spoiled",
    [
        {"correlation": 0.3},
        {"overlap": 0.7},
        {"separation": 0.4},
        {"below": -0.2},
        {"balance": 0.2},
        {"stretch": 0.8},
        {"turn": -30.0},
        {"inside": 0.7},
    ],
)
def test_each_part_alone_can_spoil_the_quality(spoiled: dict[str, float]) -> None:
    assert replace(GOOD, **spoiled).quality == 0.0


@pytest.mark.parametrize("part", ["correlation", "overlap", "separation", "balance", "inside"])
def test_more_agreement_is_never_worse(part: str) -> None:
    qualities = [replace(GOOD, **{part: value}).quality for value in np.linspace(0, 2.4, 41)]
    assert np.all(np.diff(qualities) >= 0)
    assert min(qualities) < MIN_QUALITY < max(qualities)
