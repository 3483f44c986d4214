"""Agreement of two models' scores and maps, and the paired test of two ROC areas, against computations of their own."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm, spearmanr

from medcam.core.errors import InvalidValueError
from medcam.evaluate.agreement_figure import Doubt
from medcam.evaluate.model_agreement import map_correlation, rank_correlation, score_agreement
from medcam.evaluate.roc_area import roc_area, roc_difference


def scores(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, n)
    shared = rng.normal(size=n)
    first = np.round(0.9 * truth + shared + rng.normal(size=n), 1)  # rounded: ties
    second = np.round(0.4 * truth + shared + rng.normal(size=n), 1)
    return truth, first, second


def delong(truth: np.ndarray, first: np.ndarray, second: np.ndarray) -> tuple[float, float]:
    """Difference and its standard error from the kernel matrices, as in the paper: S10 / m + S01 / n."""
    components = []
    for values in (first, second):
        with_it, without = values[truth == 1], values[truth == 0]
        kernel = (with_it[:, None] > without[None, :]) + 0.5 * (with_it[:, None] == without[None, :])
        components.append((kernel.mean(), kernel.mean(axis=1), kernel.mean(axis=0)))
    s10 = np.cov(np.stack([each[1] for each in components]))
    s01 = np.cov(np.stack([each[2] for each in components]))
    covariance = s10 / (truth == 1).sum() + s01 / (truth == 0).sum()
    contrast = np.array([-1.0, 1.0])
    return components[1][0] - components[0][0], float(np.sqrt(contrast @ covariance @ contrast))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_with_one_film_per_patient_the_paired_test_is_delongs(seed: int) -> None:
    truth, first, second = scores(120, seed)
    difference, p = roc_difference(truth, first, second, np.arange(120))
    expected, error = delong(truth, first, second)
    assert difference.value == pytest.approx(expected)
    assert difference.low == pytest.approx(expected - 1.959964 * error, abs=1e-6)
    assert difference.high == pytest.approx(expected + 1.959964 * error, abs=1e-6)
    assert p == pytest.approx(2.0 * norm.sf(abs(expected) / error), abs=1e-9)
    areas = [roc_area(truth, values, np.arange(120)).figure.value for values in (first, second)]
    assert difference.value == pytest.approx(areas[1] - areas[0])


def test_films_of_a_patient_count_as_one_and_not_as_many() -> None:
    truth, first, second = scores(60, 5)
    once, _ = roc_difference(truth, first, second, np.arange(60))
    doubled = [np.concatenate([each, each]) for each in (truth, first, second)]
    clustered, _ = roc_difference(*doubled, np.concatenate([np.arange(60)] * 2))
    naive, _ = roc_difference(*doubled, np.arange(120))
    width = [each.high - each.low for each in (once, clustered, naive)]
    assert width[1] == pytest.approx(width[0], rel=1e-6)
    assert width[2] < 0.75 * width[0]


def test_the_chance_of_a_false_alarm_is_that_of_the_level() -> None:
    rng = np.random.default_rng(7)
    alarms = 0
    for _ in range(400):
        truth = rng.integers(0, 2, 80)
        shared = truth + rng.normal(size=80)
        first, second = shared + rng.normal(size=80), shared + rng.normal(size=80)
        _, p = roc_difference(truth, first, second, np.arange(80))
        alarms += p is not None and p < 0.05
    assert 0.025 < alarms / 400 < 0.085


def test_where_there_is_no_test_it_says_why() -> None:
    truth, first, _ = scores(40, 3)
    assert roc_difference(truth, first, first, np.arange(40))[0].doubt is Doubt.NO_SPREAD
    assert roc_difference(np.ones(40), first, first, np.arange(40))[0].doubt is Doubt.ONE_CATEGORY
    assert roc_difference([1, 0, 1], [1, 2, 3], [3, 2, 1], [0, 1, 2])[0].doubt is Doubt.FEW
    assert roc_difference([], [], [], [])[0].doubt is Doubt.NO_CASES
    with pytest.raises(InvalidValueError):
        roc_difference([1, 0], [1.0], [1.0, 2.0], [0, 1])


def test_the_rank_correlation_is_spearmans_and_its_interval_covers_it() -> None:
    _, first, second = scores(200, 4)
    found = rank_correlation(first, second, np.arange(200))
    assert found.value == pytest.approx(spearmanr(first, second).statistic)
    # Fisher's z with the variance of Bonett and Wright (Psychometrika 2000): the bootstrap comes near it.
    z, error = np.arctanh(found.value), np.sqrt((1.0 + found.value**2 / 2.0) / 197.0)
    assert found.low == pytest.approx(np.tanh(z - 1.96 * error), abs=0.03)
    assert found.high == pytest.approx(np.tanh(z + 1.96 * error), abs=0.03)
    assert rank_correlation(first, np.exp(second), np.arange(200)).value == pytest.approx(found.value)
    assert rank_correlation(first, np.ones(200), np.arange(200)).doubt is Doubt.ONE_CATEGORY
    assert rank_correlation(first[:5], second[:5], np.arange(5)).doubt is Doubt.FEW
    assert rank_correlation([], [], []).doubt is Doubt.NO_CASES


def test_differences_have_a_sign_and_limits() -> None:
    first = np.array([0.1, 0.2, 0.3, 0.4] * 5)
    second = first + np.array([0.1, 0.0, 0.2, -0.1] * 5)
    found = score_agreement(first, second, np.arange(20))
    assert found.difference.value == pytest.approx(0.05)
    assert found.absolute.value == pytest.approx(0.1)
    spread = np.std(second - first, ddof=1)
    assert found.limits == pytest.approx((0.05 - 1.96 * spread, 0.05 + 1.96 * spread))
    assert score_agreement([0.1], [0.2], [0]).limits is None
    with pytest.raises(InvalidValueError):
        score_agreement([0.1], [0.2, 0.3], [0, 1])


def test_a_maps_scale_and_offset_do_not_matter_and_unseen_cells_do_not_count() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=(8, 8)), rng.normal(size=(8, 8))
    assert map_correlation(one, 3.0 * one - 7.0) == pytest.approx(1.0)
    assert map_correlation(one, -one) == pytest.approx(-1.0)
    assert map_correlation(one, other) == pytest.approx(np.corrcoef(one.ravel(), other.ravel())[0, 1])
    assert map_correlation(one, np.full((8, 8), 2.0)) is None
    seen = np.zeros((8, 8), dtype=bool)
    seen[:4] = True
    spoiled = np.where(seen, one, 1e6)
    assert map_correlation(one, spoiled, seen) == pytest.approx(1.0)
    with pytest.raises(InvalidValueError):
        map_correlation(one, other[:4])
