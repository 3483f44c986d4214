"""Maps on another grid: their mean stays."""

from __future__ import annotations

import numpy as np
import pytest

from medcam.models.probes.regrid import regrid


@pytest.mark.parametrize(("old", "new"), [((4, 6), (8, 12)), ((8, 8), (4, 4)), ((5, 7), (8, 3)), ((3, 3), (3, 3))])
def test_the_mean_does_not_change(old, new):
    maps = np.random.default_rng(0).normal(size=(2, 3, *old)).astype(np.float32)

    moved = regrid(maps, *new)

    assert moved.shape == (2, 3, *new)
    assert moved.dtype == np.float32
    np.testing.assert_allclose(moved.mean(axis=(2, 3)), maps.mean(axis=(2, 3)), atol=1e-6)


def test_a_finer_grid_repeats_cells_and_a_coarser_one_averages_them():
    maps = np.arange(4, dtype=np.float32).reshape(1, 2, 2)

    np.testing.assert_array_equal(regrid(maps, 4, 4), np.kron(maps[0], np.ones((2, 2)))[None])
    np.testing.assert_allclose(regrid(maps, 1, 2), [[[1.0, 2.0]]])


def test_places_are_kept():
    maps = np.zeros((1, 6, 6), dtype=np.float32)
    maps[0, 0, 5] = 1.0

    moved = regrid(maps, 4, 4)

    assert moved[0].argmax() == 3
    assert (moved >= 0).all()
