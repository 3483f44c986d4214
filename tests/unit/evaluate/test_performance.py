"""Area, operating point, calibration and subgroups against independent computations and planted truths."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pytest

from medcam.core.errors import InvalidValueError
from medcam.evaluate.agreement_figure import Doubt
from medcam.evaluate.performance import ScoredFilms, performance
from medcam.evaluate.proportions import proportion
from medcam.evaluate.reliability import calibration
from medcam.evaluate.roc_area import roc_area


def films_of(labels, probabilities, patients=None, **attributes):
    count = len(labels)
    return ScoredFilms(
        labels=np.asarray(labels, dtype=bool),
        probabilities=np.asarray(probabilities, dtype=float),
        called=np.asarray(probabilities) >= 0.5,
        withheld=np.zeros(count, dtype=bool),
        patients=np.asarray(range(count) if patients is None else patients).astype(str),
        attributes={name: np.asarray(values).astype(str) for name, values in attributes.items()},
    )


def scores(rng, labels, gap):
    return 1.0 / (1.0 + np.exp(-(rng.normal(size=len(labels)) + gap * (np.asarray(labels) - 0.5))))


def delong_variance(labels, values):
    """DeLong's variance with two loops, from its definition."""
    with_it = [v for v, label in zip(values, labels, strict=True) if label]
    without = [v for v, label in zip(values, labels, strict=True) if not label]
    psi = np.array([[(x > y) + 0.5 * (x == y) for y in without] for x in with_it], dtype=float)
    return psi.mean(1).var(ddof=1) / len(with_it) + psi.mean(0).var(ddof=1) / len(without), psi.mean()


def test_the_area_has_delongs_variance_where_every_film_is_a_patient():
    rng = np.random.default_rng(5)
    labels = rng.random(60) < 0.4
    values = np.round(scores(rng, labels, 1.5), 1)
    variance, area = delong_variance(labels, values)
    found = roc_area(labels, values, np.arange(60))

    assert found.figure.value == pytest.approx(area)
    assert found.variance == pytest.approx(variance)
    assert found.figure.low < area < found.figure.high


def test_films_of_one_patient_count_once():
    rng = np.random.default_rng(6)
    labels = rng.random(40) < 0.5
    values = scores(rng, labels, 1.0)
    once = roc_area(labels, values, np.arange(40))
    thrice = roc_area(np.repeat(labels, 3), np.repeat(values, 3), np.repeat(np.arange(40), 3))
    naive = roc_area(np.repeat(labels, 3), np.repeat(values, 3), np.arange(120))

    assert thrice.variance == pytest.approx(once.variance)
    assert naive.variance < 0.5 * once.variance
    assert (thrice.figure.cases, thrice.figure.groups) == (120, 40)


def test_the_interval_of_an_area_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(7)
    covered = 0
    for _ in range(300):
        labels = np.arange(80) % 2 == 0
        found = roc_area(labels, rng.normal(size=80) + 1.2 * labels, np.arange(80)).figure
        covered += found.low <= 0.8019 <= found.high  # Phi(1.2 / sqrt 2)

    assert 0.91 <= covered / 300 <= 0.985


def test_a_perfect_area_has_the_interval_of_its_pairs_and_too_few_have_none():
    perfect = roc_area([1] * 10 + [0] * 20, range(30, 0, -1), range(30))
    assert (perfect.figure.value, perfect.variance) == (1.0, None)
    assert perfect.figure.low == pytest.approx(proportion([True] * 10, range(10)).low)
    assert roc_area([1] + [0] * 20, range(21), range(21)).figure.doubt is Doubt.FEW
    assert roc_area([0] * 20, range(20), range(20)).figure.doubt is Doubt.ONE_CATEGORY
    assert roc_area([], [], []).figure.doubt is Doubt.NO_CASES
    with pytest.raises(InvalidValueError):
        roc_area([1, 0], [0.1], [1, 2])


def test_a_share_has_wilsons_interval_or_that_of_patients():
    alone = proportion([True] * 9 + [False], range(10))
    assert (alone.low, alone.high) == (pytest.approx(0.5958, abs=1e-3), pytest.approx(0.9821, abs=1e-3))
    rng = np.random.default_rng(2)
    patients = np.repeat(np.arange(40), 4)
    alike = np.repeat(rng.random(40) < 0.7, 4)
    clustered, separate = proportion(alike, patients), proportion(alike, range(160))
    assert clustered.high - clustered.low > 1.5 * (separate.high - separate.low)


def test_right_probabilities_are_consistent_and_doubled_odds_are_not():
    rng = np.random.default_rng(3)
    probabilities = rng.beta(1.0, 3.0, size=800)
    labels = rng.random(800) < probabilities
    right = calibration(labels, probabilities, np.arange(800))
    wrong = calibration(labels, np.sqrt(probabilities), np.arange(800))

    assert right.consistent
    assert not wrong.consistent
    assert wrong.error.low > right.error.value
    assert len(right.bins) == 10
    assert sum(one.observed.low <= one.mean <= one.observed.high for one in right.bins) >= 8
    assert calibration(labels[:20], probabilities[:20], np.arange(20)).consistent is None


def test_a_group_that_does_worse_is_found_and_one_that_does_not_is_not():
    rng = np.random.default_rng(4)
    labels = rng.random(600) < 0.4
    group = np.where(np.arange(600) % 2 == 0, "F", "M")
    view = np.where(rng.random(600) < 0.5, "PA", "AP")
    blind = labels & (group == "M")
    gap = np.where(group == "M", 0.6, 3.0)
    found = performance({"Mass": (0.5, films_of(labels, scores(rng, labels, gap), sex=group, view=view))})["Mass"]

    assert found.tests["sex"].differs
    assert not found.tests["view"].differs
    assert found.groups["sex"]["F"].auc.value > found.groups["sex"]["M"].auc.high
    assert found.groups["sex"]["M"].patients_with == blind.sum()
    assert found.curve[0] == (0.0, 0.0)
    assert found.curve[-1] == (1.0, 1.0)
    json.dumps(asdict(found), allow_nan=False)


def test_small_groups_are_marked_and_withheld_films_have_no_call():
    rng = np.random.default_rng(8)
    labels = np.arange(120) % 3 == 0
    films = films_of(labels, scores(rng, labels, 2.0), maker=["A"] * 110 + ["B"] * 10)
    withheld = films.withheld.copy()
    withheld[:30] = True
    films = ScoredFilms(films.labels, films.probabilities, films.called, withheld, films.patients, films.attributes)
    found = performance({"Mass": (0.5, films)})["Mass"]

    assert not found.overall.small
    assert found.groups["maker"]["B"].small
    assert "maker" not in found.tests
    assert found.overall.withheld == 30
    assert found.overall.sensitivity.cases == labels[30:].sum()
    assert found.overall.auc.cases == 120
