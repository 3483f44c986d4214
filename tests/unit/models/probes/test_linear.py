"""Linear detectors on pooled features."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from medcam.core.errors import InvalidValueError
from medcam.models.probes import linear
from medcam.models.probes.linear import LinearSettings, fit_linear, outer_folds


def films(count: int = 200, features: int = 6, apart: float = 2.0, seed: int = 0, share: float = 0.5):
    """Features of very different scale, of which the second one tells."""
    rng = np.random.default_rng(seed)
    labels = (np.arange(count) < share * count).astype(int)
    x = rng.normal(size=(count, features))
    x[:, 1] += apart * labels
    return x * np.logspace(-3, 3, features) + 5.0, labels, np.arange(count)


@pytest.mark.parametrize("method", ["svm", "logistic"])
def test_it_finds_what_tells_whatever_the_scale_of_features(method: str):
    x, labels, patients = films()
    new, truth, _ = films(seed=1)
    fit = fit_linear(x, labels, patients, LinearSettings(method))

    assert roc_auc_score(truth, fit.logits(new)) > 0.9
    assert np.argmax(np.abs(fit.weights) * x.std(axis=0)) == 1
    assert fit.strength in linear.STRENGTHS


def test_logits_are_calibrated():
    x, labels, patients = films(4000, apart=1.0, share=0.2)
    new, truth, _ = films(4000, apart=1.0, seed=1, share=0.2)
    probabilities = 1.0 / (1.0 + np.exp(-fit_linear(x, labels, patients, LinearSettings()).logits(new)))

    for low, high in ((0.0, 0.1), (0.1, 0.3), (0.3, 0.6)):
        inside = (probabilities >= low) & (probabilities < high)
        assert truth[inside].mean() == pytest.approx(probabilities[inside].mean(), abs=0.06)


def test_cross_validated_logits_know_nothing_of_noise():
    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=(60, 200)), np.tile([0, 1], 30)
    fit = fit_linear(x, labels, np.arange(60), LinearSettings(strengths=(1.0,)))

    assert roc_auc_score(labels, fit.logits(x)) > 0.99
    assert 0.3 < roc_auc_score(labels, fit.cross_logits) < 0.7


def test_films_of_one_patient_are_held_back_together():
    """Each patient's films share a fingerprint, by which a detector that had seen one would know the other."""
    rng = np.random.default_rng(0)
    fingerprints = rng.normal(size=(40, 300))
    x = np.concatenate([fingerprints, fingerprints + 0.01 * rng.normal(size=fingerprints.shape)])
    labels, patients = np.tile(np.tile([0, 1], 20), 2), np.tile(np.arange(40), 2)
    apart = fit_linear(x, labels, np.arange(80), LinearSettings(strengths=(1.0,)))
    together = fit_linear(x, labels, patients, LinearSettings(strengths=(1.0,)))

    assert roc_auc_score(labels, apart.cross_logits) > 0.9
    assert roc_auc_score(labels, together.cross_logits) < 0.75
    for train, held in outer_folds(labels, patients, LinearSettings()):
        assert not set(patients[train]) & set(patients[held])


def test_silent_and_constant_features_get_no_weight():
    x, labels, patients = films()
    x[:, 3] = 0.0
    x[:, 4] = 7.0 + 1e-7 * np.random.default_rng(0).normal(size=len(x))
    fit = fit_linear(x, labels, patients, LinearSettings())

    assert fit.weights[3] == fit.weights[4] == 0.0
    assert np.isfinite(fit.weights).all()


def test_hard_negatives_are_those_that_a_first_detector_takes_for_positives(monkeypatch: pytest.MonkeyPatch):
    """One negative in ten looks like a positive by one feature and is told by another."""
    rng = np.random.default_rng(0)
    labels = (np.arange(1100) < 100).astype(int)
    x = rng.normal(size=(1100, 2))
    hard = np.arange(1100) >= 1000
    x[labels == 1, 0] += 4.0
    x[hard, 0] += 4.0
    x[hard, 1] += 6.0
    sizes = []
    train_on = linear._train_on
    monkeypatch.setattr(linear, "_train_on", lambda x, y, c, m: sizes.append(len(y)) or train_on(x, y, c, m))
    settings = LinearSettings(strengths=(0.1,), rounds=2)
    aucs = {}
    for rounds in (0, 2):
        weights, bias = linear._train(x, labels, 0.1, LinearSettings(strengths=(0.1,), rounds=rounds))
        aucs[rounds] = roc_auc_score(labels, x @ weights + bias)
    assert sizes[1:] == [300, 400, 500]
    assert aucs[2] > 0.97
    assert aucs[2] >= aucs[0] - 0.01
    assert settings.rounds == 2


def test_too_few_patients_and_misshapen_films_are_refused():
    x, labels, _ = films(20)
    for features, patients in ((x, np.zeros(20)), (x[:-1], np.arange(20)), (np.full_like(x, np.nan), np.arange(20))):
        with pytest.raises(InvalidValueError):
            fit_linear(features, labels, patients, LinearSettings())
    for wrong in ({"method": "guess"}, {"folds": 1}, {"strengths": ()}, {"rounds": -1}):
        with pytest.raises(InvalidValueError):
            LinearSettings(**wrong)


def test_the_same_films_give_the_same_detector():
    x, labels, patients = films(apart=0.5)
    one, two = (fit_linear(x, labels, patients, LinearSettings(rounds=2, seed=3)) for _ in range(2))

    np.testing.assert_array_equal(one.weights, two.weights)
    assert one.bias == two.bias
