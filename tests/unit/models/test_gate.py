"""The out-of-distribution gate: known films score about 1, others more."""

from __future__ import annotations

import numpy as np
import pytest

from medcam.core.errors import InvalidValueError
from medcam.models.gate import Gate, fit_gate


def features(count: int, seed: int, size: int = 12) -> np.ndarray:
    """Correlated features of very different scales, as networks have them."""
    rng = np.random.default_rng(7)
    mixing = rng.normal(size=(size, size)) * np.geomspace(0.01, 30.0, size)
    return np.random.default_rng(seed).normal(size=(count, size)) @ mixing + rng.normal(size=size) * 5.0


def test_known_films_score_about_one() -> None:
    gate = fit_gate(features(2000, 1))
    for seed in (1, 2):
        scores = gate.score(features(1000, seed).astype(np.float32))
        assert scores.dtype == np.float32
        assert scores.mean() == pytest.approx(1.0, abs=0.1)
        # Chi-squared over 12 features.
        assert np.quantile(scores, 0.95) == pytest.approx(np.sqrt(21.03 / 12), abs=0.1)


def test_the_score_is_the_mahalanobis_distance_per_feature() -> None:
    known = features(5000, 3, size=5)
    gate = fit_gate(known)
    others = features(20, 4, size=5) + 3.0
    away = others - known.mean(axis=0)
    distance = np.sqrt(np.einsum("ij,jk,ik->i", away, np.linalg.inv(np.cov(known.T)), away))
    np.testing.assert_allclose(gate.score(others), distance / np.sqrt(5), rtol=0.1)


def test_a_shift_scores_higher_in_the_direction_that_hardly_varies() -> None:
    known = np.random.default_rng(0).normal(size=(3000, 2)) * (100.0, 0.1)
    gate = fit_gate(known)
    usual, along, across = gate.score(np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]))
    assert usual < along < 0.1
    assert across > 5.0


def test_the_further_the_stranger() -> None:
    known = features(500, 5)
    gate = fit_gate(known)
    means = [float(gate.score(known[:100] + shift).mean()) for shift in (0.0, 1.0, 5.0, 25.0)]
    assert means == sorted(means)
    assert means[-1] > 3 * means[0]


def test_fewer_films_than_features_are_enough() -> None:
    known = features(10, 6, size=40)
    gate = fit_gate(known)
    assert np.isfinite(gate.whitening).all()
    unseen = gate.score(features(200, 7, size=40))
    strange = gate.score(features(200, 8, size=40) * 4.0)
    assert np.isfinite(unseen).all()
    assert unseen.mean() < strange.mean()


@pytest.mark.parametrize("values", [np.zeros((6, 3)), np.tile([1.0, -2.0, 5.0], (6, 1))])
def test_features_that_never_vary_give_finite_scores(values: np.ndarray) -> None:
    gate = fit_gate(values)
    assert np.isfinite(gate.score(values)).all()
    assert gate.score(values + 1.0).min() > gate.score(values).max()


def test_a_dead_feature_does_not_blind_the_gate() -> None:
    known = features(500, 9)
    known[:, 0] = 0.0
    gate = fit_gate(known)
    assert gate.score(known).mean() == pytest.approx(1.0, abs=0.15)
    woken = known.copy()
    woken[:, 0] = 10.0
    assert gate.score(woken).min() > gate.score(known).max()


@pytest.mark.parametrize("values", [np.ones((1, 4)), np.ones(4), np.ones((2, 3, 4)), np.empty((0, 4))])
def test_a_gate_needs_films(values: np.ndarray) -> None:
    with pytest.raises(InvalidValueError):
        fit_gate(values)


@pytest.mark.parametrize(
    ("mean", "whitening"),
    [(np.zeros(3), np.eye(4)), (np.zeros(3), np.ones((3, 4))), (np.zeros((1, 3)), np.eye(3)), (np.zeros(0), np.eye(0))],
)
def test_mean_and_whitening_must_agree(mean: np.ndarray, whitening: np.ndarray) -> None:
    with pytest.raises(InvalidValueError):
        Gate(mean, whitening)


def test_a_gate_cannot_be_changed() -> None:
    gate = Gate(np.zeros(3), np.eye(3))
    with pytest.raises(ValueError, match="read-only"):
        gate.mean[0] = 1.0
