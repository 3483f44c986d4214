"""Preparation: what padding, intensity and display do to the input, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medcam.core.card import InputRecipe
from medcam.core.display import DisplayWindow, VoiFunction
from medcam.core.errors import InvalidValueError
from medcam.core.radiograph import Radiograph
from medcam.dicom import DxAttributes, radiograph_from_dataset, write_dx
from medcam.models.preprocess import prepare, prepare_array
from medcam.phantom import render, sample_case

WINDOW = DisplayWindow(VoiFunction.LINEAR_EXACT, center=0.5, width=1.0)


def test_the_film_alone_has_zero_mean_and_unit_variance() -> None:
    film = prepare_array(np.random.default_rng(2).gamma(2.0, 3.0, (60, 100)), InputRecipe(100, 100))
    inside = film.values[0][20:80]
    assert inside.mean() == pytest.approx(0.0, abs=1e-4)
    assert inside.std() == pytest.approx(1.0, abs=1e-3)
    assert not film.values[0][:20].any()
    assert not film.values[0][80:].any()


def with_padding(value: float) -> Radiograph:
    pixels = np.random.default_rng(3).random((96, 96)).astype(np.float32)
    padding = np.zeros((96, 96), dtype=np.bool_)
    padding[:, :32] = padding[90:] = True
    pixels[padding] = value
    return Radiograph(pixels, WINDOW, padding=padding)


@pytest.mark.parametrize("intensity", ["percentile", "full", "window"])
@pytest.mark.parametrize("side", [48, 96, 130])
def test_what_lies_under_the_padding_does_not_matter(side: int, intensity: str) -> None:
    recipe = InputRecipe(side, side, intensity=intensity)
    low, high = (prepare(with_padding(value), recipe).values for value in (-5000.0, 65535.0))
    np.testing.assert_array_equal(low, high)
    edge = side // 3
    assert not low[0][:, : edge - 1].any()
    film = low[0][: int(0.9 * side), edge + 1 :]
    assert (film != 0.0).mean() > 0.99
    kept = low[0][low[0] != 0.0]
    assert (kept.mean(), kept.std()) == (pytest.approx(0.0, abs=1e-3), pytest.approx(1.0, abs=1e-3))


@pytest.mark.parametrize("columns", [67, 70, 74])
def test_a_cell_half_on_the_padding_is_as_bright_as_its_film(columns: int) -> None:
    """The rim of a film must not look like a dark line."""
    pixels = np.repeat(np.linspace(1.0, 2.0, 100)[:, None], 100, axis=1)
    padding = np.zeros((100, 100), dtype=np.bool_)
    padding[:, columns:] = True
    film = prepare(Radiograph(pixels, WINDOW, padding=padding), InputRecipe(40, 40)).values[0][2:-2]
    shown = film[:, (film != 0.0).any(axis=0)]
    assert shown.shape[1] == pytest.approx(0.4 * columns, abs=1.0)
    np.testing.assert_allclose(shown, np.repeat(shown[:, :1], shown.shape[1], axis=1), atol=1e-3)


def test_padding_that_is_not_masked_does_matter() -> None:
    masked = with_padding(-5000.0)
    plain = Radiograph(masked.pixels, WINDOW)
    recipe = InputRecipe(48, 48)
    assert abs(prepare(masked, recipe).values - prepare(plain, recipe).values).max() > 0.5


def test_a_film_that_is_all_padding_is_all_nought() -> None:
    film = Radiograph(np.ones((20, 30)), WINDOW, padding=np.ones((20, 30), dtype=np.bool_))
    assert not prepare(film, InputRecipe(32, 32)).values.any()


@settings(max_examples=25, deadline=None)
@given(st.floats(0.01, 5000.0), st.floats(-3000.0, 3000.0), st.sampled_from([(40, 40), (31, 47)]))
def test_gain_and_offset_change_nothing(gain: float, offset: float, size: tuple[int, int]) -> None:
    pixels = np.random.default_rng(4).random((41, 57))
    recipe = InputRecipe(*size)
    plain, changed = prepare_array(pixels, recipe), prepare_array(gain * pixels + offset, recipe)
    # float32 leaves about offset / gain * 1e-7 of the film's own range.
    np.testing.assert_allclose(changed.values, plain.values, atol=1e-3 + 2e-6 * abs(offset) / gain)


def test_an_inverted_film_is_another_input() -> None:
    pixels = np.random.default_rng(5).random((40, 40))
    plain, inverted = (prepare_array(values, InputRecipe(40, 40)).values for values in (pixels, 1.0 - pixels))
    np.testing.assert_allclose(inverted, -plain, atol=1e-4)


def test_a_few_extreme_pixels_do_not_set_the_contrast() -> None:
    pixels = np.random.default_rng(6).random((100, 100)).astype(np.float32)
    marked = pixels.copy()
    marked[0, :4] = 1e6
    marked[1, :4] = -1e6
    plain, extreme = (prepare_array(values, InputRecipe(100, 100)).values[0, 2:] for values in (pixels, marked))
    np.testing.assert_allclose(extreme, plain, atol=0.02)


@pytest.mark.parametrize("level", [0.0, 1.0, -1024.0, 65535.0, 1e9])
def test_a_constant_film_is_all_nought(level: float) -> None:
    film = prepare_array(np.full((33, 50), level), InputRecipe(32, 32))
    np.testing.assert_allclose(film.values, 0.0, atol=1e-3)


def test_grey_channels_are_equal() -> None:
    pixels = np.random.default_rng(7).random((50, 40))
    one, three = (prepare_array(pixels, InputRecipe(32, 32, channels=count)).values for count in (1, 3))
    assert three.shape == (3, 32, 32)
    for channel in three:
        np.testing.assert_array_equal(channel, one[0])


def test_an_array_and_a_radiograph_of_it_are_one_input() -> None:
    pixels = np.random.default_rng(8).normal(2000.0, 300.0, (77, 60)).astype(np.float32)
    recipe = InputRecipe(48, 48)
    array, radiograph = prepare_array(pixels, recipe), prepare(Radiograph(pixels, WINDOW), recipe)
    np.testing.assert_array_equal(array.values, radiograph.values)
    assert array.transform == radiograph.transform


def test_the_window_recipe_sees_what_is_shown() -> None:
    pixels = np.linspace(0.0, 1000.0, 64 * 64, dtype=np.float32).reshape(64, 64)
    narrow = Radiograph(pixels, DisplayWindow(VoiFunction.LINEAR_EXACT, center=500.0, width=200.0))
    recipe = InputRecipe(64, 64, intensity="window")
    shown = prepare(narrow, recipe).values[0]
    # All that is over the window looks alike, all that is under it too, and between them it rises.
    assert len(np.unique(shown[pixels >= 600.0])) == len(np.unique(shown[pixels <= 400.0])) == 1
    assert (np.diff(shown[(pixels > 410.0) & (pixels < 590.0)]) > 0).all()
    assert shown[-1, -1] > shown[0, 0]
    wide = prepare(Radiograph(pixels, WINDOW), InputRecipe(64, 64)).values[0]
    assert len(np.unique(wide[pixels >= 600.0])) > 1000


def twins() -> tuple[Radiograph, Radiograph]:
    """One phantom written as MONOCHROME2 and as MONOCHROME1, with the same look."""
    linear = render(sample_case(5, 1), 96, truth=False).linear
    top = 2**12 - 1
    stored = np.rint(linear * top).astype(np.uint16)
    center, width = 1800.0, 2600.0
    plain = DxAttributes("twin", window=(center, width), bits_stored=12)
    inverse = DxAttributes("twin", window=(top + 1 - center, width), bits_stored=12, inverse=True)
    return (
        radiograph_from_dataset(write_dx(stored, plain)),
        radiograph_from_dataset(write_dx((top - stored).astype(np.uint16), inverse)),
    )


@pytest.mark.parametrize("intensity", ["percentile", "full", "window"])
def test_twins_of_either_polarity_are_one_input(intensity: str) -> None:
    recipe = InputRecipe(64, 64, intensity=intensity)
    one, two = (prepare(film, recipe).values for film in twins())
    np.testing.assert_allclose(one, two, atol=1e-3)
    assert one.std() > 0.9


def test_the_full_recipe_keeps_what_the_percentiles_would_clip() -> None:
    film = np.random.default_rng(4).uniform(0.2, 0.5, (128, 128)).astype(np.float32)
    film[60:64, 60:64] = 1.0  # a thousandth of the film, as print is
    clipped, kept = (prepare_array(film, InputRecipe(128, 128, intensity=name)) for name in ("percentile", "full"))
    inside, rest = np.zeros((128, 128), dtype=np.bool_), np.quantile(film, 0.99)
    inside[60:64, 60:64] = True
    bright = (film > rest) & ~inside
    assert np.median(clipped.values[0][inside]) == pytest.approx(np.median(clipped.values[0][bright]), abs=0.05)
    assert np.median(kept.values[0][inside]) > np.median(kept.values[0][bright]) + 3


@pytest.mark.parametrize("changes", [{"intensity": "z-score"}, {"fit": "stretch"}])
def test_an_unknown_recipe_is_refused(changes: dict[str, str]) -> None:
    recipe = InputRecipe(32, 32, **changes)
    for prepared in (
        lambda: prepare_array(np.random.default_rng(0).random((32, 32)), recipe),
        lambda: prepare(Radiograph(np.ones((32, 32)), WINDOW), recipe),
    ):
        with pytest.raises(InvalidValueError) as caught:
            prepared()
        assert caught.value.code == "invalid-value"


@pytest.mark.parametrize(
    "pixels", [np.ones((3, 4, 5)), np.ones(7), np.ones((0, 4)), np.full((4, 4), np.nan), np.array([[0.0, np.inf]])]
)
def test_what_is_no_film_is_refused(pixels: np.ndarray) -> None:
    with pytest.raises(InvalidValueError) as caught:
        prepare_array(pixels, InputRecipe(32, 32))
    assert caught.value.code == "invalid-value"


def test_the_callers_array_is_left_alone() -> None:
    pixels = np.random.default_rng(9).random((32, 32)).astype(np.float32)
    before = pixels.copy()
    prepare_array(pixels, InputRecipe(32, 32))
    np.testing.assert_array_equal(pixels, before)


@pytest.mark.parametrize(("black", "white"), [(-1024.0, 1024.0), (-0.449, 0.551), (1.0, 0.0)])
def test_brightness_as_displayed_becomes_the_recipes_values(black: float, white: float) -> None:
    recipe = InputRecipe(64, 64, intensity="display", fit="crop", black=black, white=white)
    shown = np.linspace(0.0, 1.0, 64, dtype=np.float32)[None].repeat(64, axis=0)
    assert np.allclose(prepare_array(shown, recipe).values[0], black + shown * (white - black), atol=1e-3)


def test_displayed_brightness_goes_through_the_window_and_is_not_stretched() -> None:
    pixels = np.full((64, 64), 0.75, dtype=np.float32)
    pixels[:, :32] = 0.5
    film = Radiograph(pixels=pixels, window=DisplayWindow(VoiFunction.LINEAR_EXACT, center=1.0, width=2.0))
    recipe = InputRecipe(64, 64, intensity="display", black=-1024.0, white=1024.0)
    values = prepare(film, recipe).values[0]
    assert np.allclose(values[:, :31], -512.0)
    assert np.allclose(values[:, 33:], -256.0)


def test_where_there_is_no_film_is_the_recipes_black() -> None:
    recipe = InputRecipe(64, 64, intensity="display", black=-1024.0, white=1024.0)
    values = prepare_array(np.ones((64, 32), dtype=np.float32), recipe).values[0]
    assert np.all(values[:, :15] == -1024.0)
    assert np.all(values[:, 17:47] == 1024.0)


@pytest.mark.parametrize(("black", "white"), [(0.0, None), (None, 1.0), (1.0, 1.0)])
def test_half_a_range_is_none(black: float | None, white: float | None) -> None:
    with pytest.raises(InvalidValueError):
        InputRecipe(64, 64, black=black, white=white)
