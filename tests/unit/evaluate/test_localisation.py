"""Figures of localisation against brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from medcam.core.errors import InvalidValueError
from medcam.core.finding import Point
from medcam.evaluate.localisation import mask_iou, mean_interval, peak_hits, share_interval

SIZES = st.tuples(st.integers(1, 7), st.integers(1, 7))


@settings(max_examples=50, deadline=None)
@given(SIZES, st.integers(0, 2**16), st.floats(0.0, 1.0))
def test_iou_counts_pixels(size: tuple[int, int], seed: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    found, true = rng.random(size) < share, rng.random(size) < 0.5
    one, two = ({tuple(place) for place in np.argwhere(mask)} for mask in (found, true))
    wanted = len(one & two) / len(one | two) if one | two else 1.0
    assert mask_iou(found, true) == pytest.approx(wanted)
    assert mask_iou(true, found) == pytest.approx(wanted)


def test_two_empty_masks_agree_and_one_empty_mask_does_not() -> None:
    empty, full = np.zeros((3, 4), dtype=np.bool_), np.ones((3, 4), dtype=np.bool_)
    assert mask_iou(empty, empty) == 1.0
    assert mask_iou(empty, full) == 0.0


def test_masks_of_two_shapes_are_not_broadcast() -> None:
    with pytest.raises(InvalidValueError):
        mask_iou(np.ones((1, 4), dtype=np.bool_), np.ones((3, 4), dtype=np.bool_))


def covers(cell: tuple[int, int], shape: tuple[int, int], source: tuple[int, int], x: float, y: float) -> bool:
    """Whether the area that a mask's cell covers in the source holds a point."""
    step_y, step_x = source[0] / shape[0], source[1] / shape[1]
    return cell[0] * step_y <= y < (cell[0] + 1) * step_y and cell[1] * step_x <= x < (cell[1] + 1) * step_x


@pytest.mark.parametrize("shape", [(5, 8), (10, 16), (3, 7)])
def test_a_peak_hits_the_cell_that_covers_it(shape: tuple[int, int]) -> None:
    source = (10, 16)
    rng = np.random.default_rng(0)
    for x, y in rng.random((60, 2)) * (source[1], source[0]):
        inside = [cell for cell in np.ndindex(shape) if covers(cell, shape, source, x, y)]
        mask = np.zeros(shape, dtype=np.bool_)
        mask[inside[0]] = True
        assert peak_hits(Point(x, y), mask, *source)
        assert not peak_hits(Point(x, y), ~mask, *source)


def test_a_peak_on_the_edge_or_over_it_belongs_to_the_nearest_pixel() -> None:
    mask = np.zeros((4, 6), dtype=np.bool_)
    mask[3, 5] = mask[0, 0] = True
    for x, y in ((6.0, 4.0), (7.5, 9.0), (5.999, 3.999), (0.0, 0.0), (-3.0, -0.5)):
        assert peak_hits(Point(x, y), mask, 4, 6)
    assert not peak_hits(Point(6.0, 0.0), mask, 4, 6)


def test_a_mean_has_the_interval_of_its_standard_error() -> None:
    values = np.random.default_rng(1).normal(3.0, 2.0, 400)
    interval = mean_interval(values)
    assert interval.value == pytest.approx(values.mean())
    assert interval.low < interval.value < interval.high
    assert interval.high - interval.low == pytest.approx(2 * 1.96 * values.std() / 20.0, rel=0.1)


def test_values_of_one_patient_do_not_narrow_the_interval() -> None:
    values = np.random.default_rng(2).random(50)
    copies = np.repeat(np.arange(50), 9)
    width = {
        name: interval.high - interval.low
        for name, interval in {
            "once": mean_interval(values),
            "by patient": mean_interval(values[copies], copies),
            "as if independent": mean_interval(values[copies]),
        }.items()
    }
    assert width["by patient"] == pytest.approx(width["once"], rel=0.15)
    assert width["as if independent"] == pytest.approx(width["once"] / 3.0, rel=0.15)


def test_a_share_of_hits_is_a_mean() -> None:
    interval = mean_interval([True, True, False, True])
    assert interval.value == 0.75
    assert 0.0 <= interval.low < 0.75 < interval.high <= 1.0


def test_a_single_value_is_its_own_interval() -> None:
    interval = mean_interval([0.4])
    assert (interval.low, interval.value, interval.high) == (0.4, 0.4, 0.4)


@pytest.mark.parametrize("values", [[], [[0.1, 0.2]]])
def test_no_values_have_no_mean(values: list[object]) -> None:
    with pytest.raises(InvalidValueError):
        mean_interval(values)


@pytest.mark.parametrize(("hits", "n"), [(0, 20), (7, 20), (20, 20)])
def test_a_share_has_wilsons_interval(hits: int, n: int) -> None:
    wanted = binomtest(hits, n).proportion_ci(method="wilson")
    found = share_interval(np.arange(n) < hits)
    assert found.value == hits / n
    assert (found.low, found.high) == pytest.approx((wanted.low, wanted.high), abs=1e-4)


def test_a_share_of_nothing_is_refused() -> None:
    with pytest.raises(InvalidValueError):
        share_interval([])
