"""Preparation: where a source pixel lands in the input, and what is seen of a film of another shape."""

from __future__ import annotations

import numpy as np
import pytest

from medcam.core.card import InputRecipe
from medcam.models.preprocess import prepare_array


def film_with_square(height: int, width: int, square: tuple[int, int, int]) -> np.ndarray:
    """Dark, with a bright square whose top, left and side are given."""
    top, left, side = square
    pixels = np.full((height, width), 100.0, dtype=np.float32)
    pixels[top : top + side, left : left + side] = 900.0
    return pixels


def brightness(values: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """0 for the dark film, 1 for the square, 0 where padded."""
    low, high = values[inside].min(), values[inside].max()
    return np.where(inside, (values - low) / (high - low), 0.0)


ALIGNMENTS = [
    # height, width, (top, left, side) of the square, rows and columns of the input, fit
    (97, 131, (20, 40, 31), (64, 64), "pad"),
    (131, 97, (60, 9, 33), (64, 64), "pad"),
    (200, 151, (101, 31, 61), (64, 48), "pad"),
    (128, 128, (32, 64, 32), (64, 64), "pad"),
    (41, 33, (11, 9, 13), (96, 96), "pad"),
    (33, 64, (7, 30, 17), (129, 97), "pad"),
    (97, 131, (30, 40, 31), (64, 64), "crop"),
    (180, 91, (70, 21, 35), (64, 64), "crop"),
    (41, 52, (11, 19, 13), (96, 96), "crop"),
    (64, 64, (10, 20, 16), (64, 64), "crop"),
    (50, 300, (10, 130, 25), (80, 80), "crop"),
]


@pytest.mark.parametrize(("height", "width", "square", "size", "fit"), ALIGNMENTS)
def test_a_square_lands_where_the_transform_says(
    height: int, width: int, square: tuple[int, int, int], size: tuple[int, int], fit: str
) -> None:
    film = prepare_array(film_with_square(height, width, square), InputRecipe(*size, fit=fit))
    transform = film.transform
    assert film.values.shape == (1, *size) == (1, transform.height, transform.width)
    assert (transform.source_height, transform.source_width) == (height, width)

    ys, xs = np.arange(size[0]) + 0.5, np.arange(size[1]) + 0.5
    source_xs, source_ys = (
        np.array([transform.to_source(x, 0)[0] for x in xs]),
        [transform.to_source(0, y)[1] for y in ys],
    )
    inside_y = (np.array(source_ys) > 0) & (np.array(source_ys) < height)
    inside = inside_y[:, None] & ((source_xs > 0) & (source_xs < width))[None, :]
    bright = brightness(film.values[0], inside)

    top, left, side = square
    (x0, y0), (x1, y1) = transform.to_grid(left, top), transform.to_grid(left + side, top + side)
    total = bright.sum()
    centre = (bright.sum(axis=0) @ xs / total, bright.sum(axis=1) @ ys / total)
    assert centre == pytest.approx(((x0 + x1) / 2, (y0 + y1) / 2), abs=0.05)
    row, column = bright[int((y0 + y1) / 2)], bright[:, int((x0 + x1) / 2)]
    assert (row.sum(), column.sum()) == pytest.approx((x1 - x0, y1 - y0), abs=0.1)


@pytest.mark.parametrize("fit", ["pad", "crop"])
def test_the_aspect_of_a_film_is_kept(fit: str) -> None:
    transform = prepare_array(np.random.default_rng(0).random((90, 140)), InputRecipe(64, 64, fit=fit)).transform
    assert transform.scale_x == pytest.approx(transform.scale_y)


def test_pad_shows_the_whole_film_and_crop_fills_the_input() -> None:
    pixels = np.random.default_rng(1).random((90, 140)).astype(np.float32)
    padded = prepare_array(pixels, InputRecipe(70, 70))
    top, bottom = padded.transform.to_grid(0, 0)[1], padded.transform.to_grid(140, 90)[1]
    outside = np.ones(70, dtype=np.bool_)
    outside[int(np.floor(top)) : int(np.ceil(bottom))] = False
    assert outside.sum() >= 24
    assert not padded.values[0][outside].any()
    assert padded.transform.to_grid(0, 0)[0] == pytest.approx(0.0)
    assert padded.transform.to_grid(140, 0)[0] == pytest.approx(70.0)
    cropped = prepare_array(pixels, InputRecipe(70, 70, fit="crop"))
    assert cropped.transform.to_grid(25, 0) == pytest.approx((0.0, 0.0))
    assert cropped.transform.to_grid(115, 90) == pytest.approx((70.0, 70.0))
    assert (cropped.values != 0.0).mean() > 0.99


@pytest.mark.parametrize(("side", "largest"), [(32, 0.05), (40, 0.15)])
def test_shrinking_averages_what_it_cannot_show(side: int, largest: float) -> None:
    pixels = np.indices((128, 128)).sum(axis=0) % 2 * 1.0
    pixels[:, 64:] = 1.0
    fine = prepare_array(pixels, InputRecipe(side, side)).values[0][3:-3, 3 : side // 2 - 3]
    assert fine.std() < largest
