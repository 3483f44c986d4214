"""Films whose pixels are not square: what the network sees is, and the way back is exact."""

from __future__ import annotations

import numpy as np
import pytest

from medcam.core.card import InputRecipe
from medcam.core.display import DisplayWindow, VoiFunction
from medcam.core.radiograph import PixelSpacing, Radiograph
from medcam.models.isotropic import isotropic_shape, to_isotropic
from medcam.models.preprocess import prepare

WINDOW = DisplayWindow(VoiFunction.LINEAR_EXACT, center=0.5, width=1.0)


@pytest.mark.parametrize(
    ("size", "aspect", "expected"),
    [
        ((100, 90), 1.0, (100, 90)),
        ((100, 90), 1.0005, (100, 90)),
        ((100, 90), 2.0, (200, 90)),
        ((100, 90), 0.5, (100, 180)),
        ((101, 90), 1.3, (131, 90)),
    ],
)
def test_the_finer_axis_keeps_its_samples(size: tuple[int, int], aspect: float, expected: tuple[int, int]) -> None:
    assert isotropic_shape(*size, aspect) == expected


@pytest.mark.parametrize("aspect", [2.0, 1.3, 0.5, 0.77])
def test_a_plane_stays_a_plane_and_extents_stay_extents(aspect: float) -> None:
    height, width = 41, 37
    plane = np.add.outer(3.0 * (np.arange(height) + 0.5), 5.0 * (np.arange(width) + 0.5)).astype(np.float32)
    film, known, transform = to_isotropic(plane, np.ones_like(plane), aspect)
    assert transform.to_grid(width, height) == pytest.approx((transform.width, transform.height))
    assert film.shape == known.shape == (transform.height, transform.width)
    np.testing.assert_allclose(known, 1.0, rtol=1e-6)
    xs = [transform.to_source(x + 0.5, 0)[0] for x in range(transform.width)]
    ys = [transform.to_source(0, y + 0.5)[1] for y in range(transform.height)]
    expected = np.add.outer(3.0 * np.array(ys), 5.0 * np.array(xs))
    # Half a source pixel from the edge there is nothing to interpolate with.
    inner = (slice(3, -3), slice(3, -3))
    np.testing.assert_allclose(film[inner], expected[inner], rtol=1e-4)


@pytest.mark.parametrize("fit", ["pad", "crop"])
@pytest.mark.parametrize("told", ["spacing", "ratio"])
def test_a_squeezed_film_gives_the_input_of_the_film_it_was(fit: str, told: str) -> None:
    rows, columns = np.mgrid[0:240, 0:200]
    true = np.hypot(rows - 120, columns - 90).astype(np.float32)
    squeezed = true.reshape(120, 2, 200).mean(axis=1)
    spacing, attributes = (PixelSpacing(0.4, 0.2), {}) if told == "spacing" else (None, {"pixel_aspect": "2.0"})
    film = Radiograph(squeezed, WINDOW, spacing=spacing, attributes=attributes)
    recipe = InputRecipe(64, 64, fit=fit)
    ours, wanted = prepare(film, recipe), prepare(Radiograph(true, WINDOW), recipe)
    np.testing.assert_allclose(ours.values, wanted.values, atol=0.05)
    assert ours.transform.scale_y == pytest.approx(2 * ours.transform.scale_x)
    assert ours.transform.to_grid(50, 60) == pytest.approx(wanted.transform.to_grid(50, 120))


def test_padding_is_no_film_after_resampling_either() -> None:
    pixels = np.random.default_rng(0).random((60, 90)).astype(np.float32)
    padding = np.zeros((60, 90), dtype=np.bool_)
    padding[:15] = True
    film = Radiograph(pixels, WINDOW, padding=padding, spacing=PixelSpacing(0.3, 0.2))
    values = prepare(film, InputRecipe(90, 90)).values[0]
    assert not values[:22].any()
    assert (values[24:] != 0).mean() > 0.99
