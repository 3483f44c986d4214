import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medcam.core.errors import InvalidValueError
from medcam.core.geometry import Box, GridTransform
from medcam.core.resample import Sampler, keys_kernel


def _kernel(t: float) -> float:
    t = abs(t)
    if t <= 1:
        return 1.5 * t**3 - 2.5 * t**2 + 1
    return -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2 if t < 2 else 0.0


def _one_pixel(values: np.ndarray, transform: GridTransform, x: float, y: float) -> float:
    """The definition, one source point at a time."""
    grid_x, grid_y = transform.to_grid(x, y)
    height, width = values.shape
    if not (0 <= grid_x <= width and 0 <= grid_y <= height):
        return 0.0
    total = 0.0
    for row in range(math.floor(grid_y - 0.5) - 1, math.floor(grid_y - 0.5) + 3):
        for column in range(math.floor(grid_x - 0.5) - 1, math.floor(grid_x - 0.5) + 3):
            weight = _kernel(grid_y - 0.5 - row) * _kernel(grid_x - 0.5 - column)
            total += weight * values[min(max(row, 0), height - 1), min(max(column, 0), width - 1)]
    return total


@st.composite
def transforms(draw: st.DrawFn) -> GridTransform:
    height, width = draw(st.integers(3, 40)), draw(st.integers(3, 40))
    transform = GridTransform.identity(height, width)
    if draw(st.booleans()):
        top, left = draw(st.integers(0, height - 2)), draw(st.integers(0, width - 2))
        transform = transform.crop(top, left, height - top - draw(st.integers(0, 1)), width - left)
    if draw(st.booleans()):
        transform = transform.pad(*draw(st.tuples(*[st.integers(0, 9)] * 4)))
    transform = transform.resize(draw(st.integers(1, 9)), draw(st.integers(1, 9)))
    if draw(st.booleans()):
        transform = transform.flip_horizontal()
    return transform.flip_vertical() if draw(st.booleans()) else transform


@settings(max_examples=40, deadline=None)
@given(transform=transforms(), size=st.tuples(st.integers(1, 12), st.integers(1, 12)), seed=st.integers(0, 99))
def test_equals_the_definition_through_crops_pads_and_flips(
    transform: GridTransform, size: tuple[int, int], seed: int
) -> None:
    values = np.random.default_rng(seed).normal(size=(transform.height, transform.width)).astype(np.float32)
    sampler = Sampler.to_source(transform, *size)
    got, inside = sampler.apply(values), sampler.inside
    for row in range(size[0]):
        for column in range(size[1]):
            x = (column + 0.5) * transform.source_width / size[1]
            y = (row + 0.5) * transform.source_height / size[0]
            assert got[row, column] == pytest.approx(_one_pixel(values, transform, x, y), abs=1e-4)
            grid_x, grid_y = transform.to_grid(x, y)
            assert inside[row, column] == (0 <= grid_x <= transform.width and 0 <= grid_y <= transform.height)


def test_kernel_interpolates_and_weights_add_up_to_one() -> None:
    assert keys_kernel([0.0, 1.0, 2.0, 3.0]).tolist() == [1.0, 0.0, 0.0, 0.0]
    shifts = np.linspace(0.0, 1.0, 11)
    taps = keys_kernel(np.array([-1.0, 0.0, 1.0, 2.0])[:, None] - shifts)
    assert taps.sum(axis=0) == pytest.approx(1.0)


def test_keeps_the_cells_at_their_centres_and_straight_planes_between() -> None:
    transform = GridTransform.identity(90, 60).resize(9, 6)
    plane = (np.arange(9)[:, None] * 2.0 + np.arange(6)[None] - 3.0).astype(np.float32)
    fine = Sampler.to_source(transform, 90, 60).apply(plane)
    y, x = (np.arange(90) + 0.5) / 10 - 0.5, (np.arange(60) + 0.5) / 10 - 0.5
    wanted = y[:, None] * 2.0 + x[None] - 3.0
    # Two cells at the border feel the clamped edge.
    assert fine[20:-20, 20:-20] == pytest.approx(wanted[20:-20, 20:-20], abs=1e-4)
    assert Sampler.to_source(transform, 9, 6).apply(plane) == pytest.approx(plane, abs=1e-6)


def test_a_window_is_a_part_of_the_whole() -> None:
    transform = GridTransform.identity(64, 80).pad(8, 8, 0, 0).resize(7, 5).flip_horizontal()
    values = np.random.default_rng(1).normal(size=(7, 5)).astype(np.float32)
    whole = Sampler.to_source(transform, 64, 80).apply(values)
    part = Sampler.to_source(transform, 16, 20, Box(10, 30, 20, 16)).apply(values)
    assert part == pytest.approx(whole[30:46, 10:30], abs=1e-5)


def test_batches_are_resampled_at_once() -> None:
    sampler = Sampler.to_source(GridTransform.identity(20, 20).resize(4, 4), 10, 10)
    values = np.random.default_rng(2).normal(size=(3, 2, 4, 4)).astype(np.float32)
    together = sampler.apply(values)
    assert together.shape == (3, 2, 10, 10)
    assert together[2, 1] == pytest.approx(sampler.apply(values[2, 1]), abs=1e-6)


def test_refuses_an_empty_raster() -> None:
    with pytest.raises(InvalidValueError):
        Sampler.to_source(GridTransform.identity(4, 4), 0, 3)
