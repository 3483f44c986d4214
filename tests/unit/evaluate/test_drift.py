"""Tests of two samples hold their level, see what was planted, and are corrected for their number."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
from scipy.stats import fisher_exact

from medcam.core.errors import InvalidValueError
from medcam.evaluate.drift import DriftKind, PeriodFilms, compare_periods
from medcam.evaluate.two_samples import category_test, holm, kernel_test, ks_test


def test_holm_is_as_in_the_paper():
    assert holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005}) == pytest.approx(
        {"a": 0.03, "b": 0.06, "c": 0.06, "d": 0.02}
    )
    assert holm({}) == {}
    assert holm({"a": 0.9, "b": 0.8}) == {"a": 1.0, "b": 1.0}


def test_categories_agree_with_fishers_exact_test_for_two_kinds():
    before, after = ["PA"] * 17 + ["AP"] * 3, ["PA"] * 9 + ["AP"] * 11
    exact = fisher_exact([[17, 3], [9, 11]]).pvalue
    found = category_test(before, after)

    assert found.p == pytest.approx(exact, abs=0.006)
    assert found.statistic == pytest.approx(20 * 20 * 40 * (17 / 20 - 9 / 20) ** 2 / (26 * 14), rel=1e-6)
    assert category_test(["x"] * 5, ["x"] * 5).p == 1.0


def test_vectors_that_differ_in_their_correlation_alone_are_told():
    rng = np.random.default_rng(1)
    one = rng.normal(size=(150, 2))
    other = rng.multivariate_normal([0, 0], [[1, 0.9], [0.9, 1]], size=150)

    assert kernel_test(one, other).p < 0.01
    assert min(ks_test(one[:, side], other[:, side]).p for side in (0, 1)) > 0.05
    assert kernel_test(np.zeros((20, 3)), np.zeros((20, 3))).p == 1.0


@pytest.mark.parametrize("test", [category_test, kernel_test])
def test_a_permutation_test_alarms_no_more_often_than_its_level(test):
    rng = np.random.default_rng(2)
    alarms = 0
    for _ in range(80):
        if test is category_test:
            samples = [list(rng.choice(["a", "b", "c"], size=40)) for _ in range(2)]
        else:
            samples = [rng.normal(size=(25, 3)) for _ in range(2)]
        alarms += test(*samples).p <= 0.05

    assert alarms <= 10  # 4 are expected; 11 or more in one of 500 such runs


def test_a_test_needs_cases():
    for test in (ks_test, category_test):
        with pytest.raises(InvalidValueError):
            test([], ["1"])
    with pytest.raises(InvalidValueError):
        kernel_test(np.zeros((3, 2)), np.zeros((3, 1)))


def period(rng, count=120, *, shift=0.0, sex=0.5, zone=0.0, turned=False, missing=False):
    [apart] = rng.spawn(1)
    mixed = np.array([[1.0, 0.9], [0.0, 0.44]]) if turned else np.eye(2)
    shares = rng.dirichlet([2.0 + zone, 2.0, 2.0], size=count // 3)
    return PeriodFilms(
        attributes={"sex": ["F" if value < sex else "M" for value in rng.random(count)], "maker": ["one"] * count},
        numbers={"age": np.full(count, np.nan) if missing else rng.normal(60.0, 12.0, size=count)},
        strangeness=rng.normal(size=count) + shift,
        logits={"Mass": rng.normal(size=count), "Nodule": rng.normal(size=count)},
        shares={"Mass": shares, "Nodule": shares[:4]},
        zones=("heart", "mediastinum", "elsewhere"),
        features=None if missing else np.column_stack([apart.normal(size=(count, 2)) @ mixed, np.ones(count)]),
    )


def test_nothing_planted_and_nothing_found():
    rng = np.random.default_rng(3)
    found = compare_periods(period(rng), period(rng))

    assert not found.drifted()
    assert {(test.kind, test.what) for test in found.tests} == {
        (DriftKind.ATTRIBUTE, "sex"),
        (DriftKind.ATTRIBUTE, "age"),
        (DriftKind.INPUT, "features"),
        (DriftKind.INPUT, "out-of-distribution score"),
        (DriftKind.SCORE, "Mass"),
        (DriftKind.SCORE, "Nodule"),
        (DriftKind.SCORE, "all findings together"),
        (DriftKind.EVIDENCE, "Mass"),
    }
    assert found.untested == {"evidence: Nodule": "films called present: 4 films in a period, 10 are needed"}
    json.dumps(asdict(found), allow_nan=False)


@pytest.mark.parametrize(
    ("planted", "kind", "what"),
    [
        ({"shift": 1.0}, DriftKind.INPUT, "out-of-distribution score"),
        ({"turned": True}, DriftKind.INPUT, "features"),
        ({"sex": 0.9}, DriftKind.ATTRIBUTE, "sex"),
        ({"zone": 6.0}, DriftKind.EVIDENCE, "Mass"),
    ],
)
def test_what_was_planted_is_found_and_nothing_else(planted, kind, what):
    rng = np.random.default_rng(4)
    found = compare_periods(period(rng), period(rng, **planted))

    assert [(test.kind, test.what) for test in found.tests if test.drifted] == [(kind, what)]
    assert found.drifted(kind)
    if kind is DriftKind.EVIDENCE:
        assert next(test.change for test in found.tests if test.drifted).startswith("heart: 27% before, 68% after")


def test_what_is_not_known_is_not_tested():
    rng = np.random.default_rng(5)
    found = compare_periods(period(rng), period(rng, missing=True))

    assert found.untested["attribute: age"] == "0 films in a period, 10 are needed"
    assert found.untested["input: features"].startswith("the record holds none")


def test_features_of_different_networks_or_of_too_few_films_are_not_tested():
    rng = np.random.default_rng(6)
    whole = period(rng)
    few, other = (replace(whole, features=rows) for rows in (whole.features[:9], whole.features[:, :1]))

    assert compare_periods(whole, few).untested["input: features"] == "9 films in a period, 10 are needed"
    assert "input: features" in compare_periods(whole, other).untested


def test_the_distance_of_features_is_told_in_words():
    rng = np.random.default_rng(7)
    one, other = (replace(period(rng), features=rng.normal(size=(100, 5)) + mean) for mean in (0.0, 2.0))
    [told] = [test.change for test in compare_periods(one, other).tests if test.what == "features"]

    # Pooled over two periods of unit spread, 2 apart, the standard deviation is the root of 1 + 1.
    assert float(told.split()[1]) == pytest.approx(2.0 / np.sqrt(2.0), abs=0.1)
    assert told.endswith("of 5 features")
