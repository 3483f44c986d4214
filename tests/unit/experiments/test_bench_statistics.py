"""Quantiles and slopes of what was measured: right where the truth is known, and honest where nothing was."""

from __future__ import annotations

import math

import numpy as np
import pytest

from medcam.core.errors import InvalidValueError
from medcam.experiments.bench.figure import Figure
from medcam.experiments.bench.statistics import quantile, slope


def test_a_quantile_is_that_of_all_measurements_and_lies_in_its_interval():
    chance = np.random.default_rng(5)
    groups = [chance.exponential(1.0, 200) for _ in range(30)]

    found = quantile(groups, 0.95)

    assert found.value == pytest.approx(np.quantile(np.concatenate(groups), 0.95))
    assert found.low < -math.log(0.05) < found.high
    assert found.n == 6000


def test_groups_that_differ_widen_the_interval():
    alike = [[1.0, 2.0, 3.0, 4.0]] * 10
    apart = [[float(number)] * 4 for number in range(10)]

    narrow, wide = quantile(alike, 0.5), quantile(apart, 0.5)

    assert narrow.high - narrow.low == 0.0
    assert wide.high - wide.low > 2.0


def test_nothing_measured_has_no_quantile():
    found = quantile([[], []], 0.5)

    assert found.n == 0
    assert math.isnan(found.value)
    with pytest.raises(InvalidValueError):
        quantile([[1.0]], 1.5)


@pytest.mark.parametrize("truth", [0.0, 3.0, -2.0])
def test_a_slope_is_found_with_an_interval_that_holds_it(truth):
    chance = np.random.default_rng(2)
    # Errors that hang together, as memory does from one second to the next.
    errors = np.convolve(chance.normal(size=400), np.ones(8) / 8.0, mode="same")
    x = np.arange(400) / 20.0

    found = slope(x, 100.0 + truth * x + errors)

    assert found.low < truth < found.high
    assert found.high - found.low < 0.2


def test_the_same_measurements_give_the_same_interval():
    x, y = [0.0, 1.0, 2.0, 3.0, 4.0], [1.0, 1.5, 1.4, 2.2, 2.0]

    assert slope(x, y) == slope(x, y)
    assert slope(x, y, seed=1) != slope(x, y)


def test_points_at_one_place_have_no_slope():
    assert math.isnan(slope([1.0, 1.0, 1.0], [1.0, 2.0, 3.0]).value)
    with pytest.raises(InvalidValueError):
        slope([1.0, 2.0], [1.0])


def test_a_figure_says_how_it_stands_to_its_target_and_leaves_out_what_is_not_known():
    figure = Figure("a/p95", 75.0, "ms", 9, 150.0)

    assert figure.to_json() == {
        "name": "a/p95",
        "value": 75.0,
        "unit": "ms",
        "n": 9,
        "baseline": 150.0,
        "low": None,
        "high": None,
        "note": "",
        "ratio": 0.5,
    }
    assert Figure("b", math.nan, "ms", 0, note="not installed").to_json()["value"] is None
    with pytest.raises(InvalidValueError):
        Figure("", 1.0, "ms", 1)
