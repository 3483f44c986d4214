"""Figures of classification against hand-made numbers, brute force and closed formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medcam.core.errors import InvalidValueError
from medcam.evaluate.classification import (
    auc,
    auc_interval,
    expected_calibration_error,
    resampled,
    youden_threshold,
)

SCORED = st.lists(st.tuples(st.booleans(), st.integers(1, 19)), min_size=2, max_size=30)


def films(pairs: list[tuple[bool, int]]) -> tuple[np.ndarray, np.ndarray]:
    labels, tenths = zip(*pairs, strict=True)
    return np.array(labels, dtype=np.int8), np.array(tenths) / 20.0


def won_pairs(labels: np.ndarray, scores: np.ndarray) -> float:
    """AUC as the share of pairs (with, without) that are in order; ties count half (Hanley and McNeil 1982)."""
    won = [(w > o) + 0.5 * (w == o) for w in scores[labels == 1] for o in scores[labels == 0]]
    return float(np.mean(won))


def test_auc_of_a_hand_made_example() -> None:
    assert auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]) == pytest.approx(0.75)


@settings(max_examples=50, deadline=None)
@given(SCORED)
def test_auc_counts_pairs_in_order(pairs: list[tuple[bool, int]]) -> None:
    labels, scores = films(pairs)
    if len(np.unique(labels)) < 2:
        assert math.isnan(auc(labels, scores))
    else:
        assert auc(labels, scores) == pytest.approx(won_pairs(labels, scores))


def noisy(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = (np.arange(count) % 2).astype(np.int8)
    return labels, labels + rng.normal(0.0, 1.0, count)


def test_an_auc_interval_is_as_wide_as_theory_says() -> None:
    labels, scores = noisy(200)
    interval = auc_interval(labels, scores)
    value, half = interval.value, 100
    # Hanley and McNeil 1982, equations 1 and 2.
    one, two = value / (2 - value), 2 * value**2 / (1 + value)
    spread = math.sqrt((value * (1 - value) + (half - 1) * (one + two - 2 * value**2)) / half**2)
    assert interval.low < value < interval.high
    assert interval.high - interval.low == pytest.approx(2 * 1.96 * spread, rel=0.25)


def test_films_of_one_patient_do_not_narrow_the_interval() -> None:
    labels, scores = noisy(60)
    copies = np.tile(np.arange(60), 8)
    once = auc_interval(labels, scores)
    by_patient = auc_interval(labels[copies], scores[copies], patients=copies)
    as_if_independent = auc_interval(labels[copies], scores[copies])
    width = once.high - once.low
    assert by_patient.high - by_patient.low == pytest.approx(width, rel=0.15)
    assert as_if_independent.high - as_if_independent.low < 0.6 * width


def test_an_interval_is_the_same_for_the_same_seed_only() -> None:
    labels, scores = noisy(40)
    assert auc_interval(labels, scores, seed=3) == auc_interval(labels, scores, seed=3)
    assert auc_interval(labels, scores, seed=3) != auc_interval(labels, scores, seed=4)


def test_an_interval_holds_a_perfect_value_and_few_films() -> None:
    perfect = auc_interval([0, 0, 0, 1], [0.1, 0.2, 0.3, 0.9])
    assert (perfect.low, perfect.value, perfect.high) == (1.0, 1.0, 1.0)
    pair = auc_interval([0, 1], [0.9, 0.1])
    assert pair.low <= pair.value == 0.0 <= pair.high


@pytest.mark.parametrize("label", [0, 1])
def test_an_interval_needs_films_with_and_without(label: int) -> None:
    with pytest.raises(InvalidValueError):
        auc_interval([label] * 5, np.arange(5.0))


@pytest.mark.parametrize("patients", [[7, 3, 7, 7, 9, 3], ["b", "a", "b", "b", "c", "a"], [5, 4, 3, 2, 1, 0]])
def test_a_bootstrap_sample_takes_whole_patients(patients: list[object]) -> None:
    numbers = np.array(patients)
    samples = resampled(numbers, 40, seed=1)
    assert len(samples) == 40
    people = np.unique(numbers)
    for sample in samples:
        times = np.bincount(sample, minlength=len(numbers))
        per_patient = [set(times[numbers == person].tolist()) for person in people]
        assert all(len(count) == 1 for count in per_patient)
        assert sum(count.pop() for count in per_patient) == len(people)
    assert len({tuple(sorted(sample.tolist())) for sample in samples}) > 5


def test_every_patient_is_as_likely_as_any_other() -> None:
    patients = np.repeat(np.arange(5), [1, 2, 3, 4, 5])
    drawn = np.concatenate(resampled(patients, 400, seed=2))
    times = np.bincount(drawn, minlength=15) / 400
    # Each of the five patients, and so each of their films, is drawn once per sample on average.
    np.testing.assert_allclose(times, 1.0, atol=0.2)


def youden_index(labels: np.ndarray, probabilities: np.ndarray, threshold: float) -> float:
    said = probabilities >= threshold
    return float(said[labels == 1].mean() - said[labels == 0].mean())


@settings(max_examples=60, deadline=None)
@given(SCORED)
def test_no_threshold_has_a_larger_youden_index(pairs: list[tuple[bool, int]]) -> None:
    labels, probabilities = films(pairs)
    threshold = youden_threshold(labels, probabilities)
    if len(np.unique(labels)) < 2:
        assert threshold == 0.5
        return
    best = max(youden_index(labels, probabilities, step / 40) for step in range(42))
    assert youden_index(labels, probabilities, threshold) == pytest.approx(best)
    assert 0.0 < threshold < 1.0
    assert np.abs(probabilities - threshold).min() > 1e-5


def test_a_threshold_lies_halfway_between_two_films() -> None:
    assert youden_threshold([0, 0, 1, 1], [0.1, 0.3, 0.7, 0.9]) == pytest.approx(0.5)
    assert youden_threshold([0, 1, 0, 1], [0.1, 0.2, 0.3, 0.9]) == pytest.approx(0.6, abs=0.46)
    assert youden_threshold([1, 0, 1, 1], [0.2, 0.4, 0.6, 0.8]) == pytest.approx(0.5)


def brute_force_error(labels: np.ndarray, probabilities: np.ndarray, bins: int) -> float:
    total = 0.0
    for number in range(bins):
        low, high = number / bins, (number + 1) / bins
        inside = (probabilities >= low) & ((probabilities < high) | ((number == bins - 1) & (probabilities == 1.0)))
        if inside.any():
            total += inside.mean() * abs(probabilities[inside].mean() - labels[inside].mean())
    return float(total)


def test_calibration_error_by_brute_force() -> None:
    rng = np.random.default_rng(5)
    probabilities = np.concatenate([rng.random(300), [0.0, 1.0]])
    labels = (rng.random(302) < probabilities**2).astype(np.float64)
    for bins in (10, 15):
        wanted = brute_force_error(labels, probabilities, bins)
        assert expected_calibration_error(labels, probabilities, bins) == pytest.approx(wanted)
    as_table = expected_calibration_error(labels.reshape(151, 2), probabilities.reshape(151, 2))
    assert as_table == pytest.approx(brute_force_error(labels, probabilities, 15))


def test_calibration_error_of_hand_made_examples() -> None:
    assert expected_calibration_error([0, 1, 1, 1], [0.75] * 4) == pytest.approx(0.0)
    assert expected_calibration_error([0, 0, 0, 0], [1.0] * 4) == pytest.approx(1.0)
    assert expected_calibration_error([1, 1, 0, 0], [0.9, 0.9, 0.2, 0.2]) == pytest.approx(0.15)
    # Errors of two bins add up and do not cancel.
    assert expected_calibration_error([0, 1], [0.4, 0.6]) == pytest.approx(0.4)
