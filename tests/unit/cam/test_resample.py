import time

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import map_coordinates

from medcam.cam.resample import seen, to_source
from medcam.core.activation import ActivationMap
from medcam.core.geometry import Box, GridTransform


def test_the_whole_film_at_its_own_size_by_default() -> None:
    activation = ActivationMap(np.eye(4), 0.0, GridTransform.identity(30, 50).resize(4, 4))
    assert to_source(activation).shape == seen(activation).shape == (30, 50)
    assert to_source(activation, 7).shape == (7, 50)
    assert to_source(activation, window=Box(3, 4, 10.4, 6.0)).shape == (6, 10)


def test_outside_the_model_s_view_there_is_no_evidence() -> None:
    transform = GridTransform.identity(100, 100).crop(20, 10, 60, 80).resize(6, 8)
    activation = ActivationMap(np.full((6, 8), 3.0), 0.0, transform)
    values, inside = to_source(activation), seen(activation)
    wanted = np.zeros((100, 100), dtype=bool)
    wanted[20:80, 10:90] = True
    assert np.array_equal(inside, wanted)
    assert values[wanted] == pytest.approx(3.0)
    assert not values[~wanted].any()


def test_a_flip_of_the_input_is_undone() -> None:
    values = np.random.default_rng(0).normal(size=(5, 6)).astype(np.float32)
    straight = GridTransform.identity(70, 60).resize(5, 6)
    flipped = GridTransform.identity(70, 60).flip_horizontal().flip_vertical().resize(5, 6)
    one = to_source(ActivationMap(values, 0.0, straight))
    other = to_source(ActivationMap(values[::-1, ::-1], 0.0, flipped))
    assert other == pytest.approx(one, abs=1e-5)


def test_close_to_an_independent_spline_on_smooth_maps() -> None:
    y, x = np.mgrid[:32, :32]
    values = np.sin(y / 5.0) * np.cos(x / 6.0)
    fine = to_source(ActivationMap(values, 0.0, GridTransform.identity(256, 256).resize(32, 32)))
    at = (np.mgrid[:256, :256] + 0.5) / 8 - 0.5
    spline = map_coordinates(values, at, order=3, mode="nearest")
    assert np.abs(fine - spline)[24:-24, 24:-24].max() < 5e-3


def test_equals_an_independent_implementation_away_from_the_edge() -> None:
    # Pillow's bicubic filter has the same kernel, but leaves out cells beyond the edge instead of repeating the last.
    values = np.random.default_rng(4).normal(size=(12, 9)).astype(np.float32)
    fine = to_source(ActivationMap(values, 0.0, GridTransform.identity(77, 130).resize(12, 9)))
    pillow = np.asarray(Image.fromarray(values).resize((130, 77), Image.Resampling.BICUBIC))
    assert fine[14:-14, 30:-30] == pytest.approx(pillow[14:-14, 30:-30], abs=1e-5)


def test_quick_enough_to_be_done_when_looked_at() -> None:
    activation = ActivationMap(np.eye(32), 0.0, GridTransform.identity(2048, 2048).resize(32, 32))
    times = []
    for _ in range(5):
        start = time.perf_counter()
        to_source(activation)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.1
