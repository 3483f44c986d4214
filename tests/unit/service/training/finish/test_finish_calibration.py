"""Calibration of a finished model: logits, maps, probabilities and thresholds are those of the setting half."""

from __future__ import annotations

import numpy as np
import pytest
from finished_model import ABSENT, ANTI, NAMES, PARTLY, TRUE, UNJUDGED, Finished

from medcam.models.training.films import Films


def test_calibration_is_a_scale_and_a_shift_of_each_logit(finished: Finished) -> None:
    after = finished.logits(finished.calibration)
    for finding in range(len(NAMES)):
        scale, shift = np.polyfit(finished.logits_before[:, finding], after[:, finding], 1)
        straight = scale * finished.logits_before[:, finding] + shift
        # Saved in half precision, so that the line holds to a thousandth of what is on it.
        size = np.abs(finished.logits_before[:, finding]).max() * scale + abs(shift)
        np.testing.assert_allclose(after[:, finding], straight, atol=5e-3 * max(size, 1.0))
        assert scale > 0.0, "a calibration never turns a finding around"
    moved = np.abs(after - finished.logits_before).max(axis=0)
    assert moved[TRUE] > 0.05
    # Labels that contradict the network, or tell nothing, leave its logits as they were.
    for finding in (ANTI, UNJUDGED, ABSENT):
        assert moved[finding] < 5e-3 * np.abs(finished.logits_before[:, finding]).max()


def test_maps_are_scaled_with_the_logits_and_the_ledger_holds(finished: Finished) -> None:
    prediction = finished.loaded.predict(finished.calibration.images.astype(np.float32)[:, None])
    assert prediction.ledger
    np.testing.assert_allclose(prediction.maps.mean(axis=(2, 3)) + prediction.biases, prediction.logits, atol=1e-4)
    for finding in range(len(NAMES)):
        before_it, after_it = finished.maps_before[:, finding].ravel(), prediction.maps[:, finding].ravel()
        scale = float(before_it @ after_it / (before_it @ before_it))
        assert scale > 0.0
        np.testing.assert_allclose(after_it, scale * before_it, atol=5e-3 * np.abs(after_it).max())


def test_mean_probability_is_the_share_of_films_with_the_finding(
    finished: Finished, halves: tuple[Films, Films]
) -> None:
    """What logistic regression with an intercept is known for (within slight regularisation and half precision)."""
    setting = halves[0]
    probabilities = finished.probabilities(setting)
    for finding in (TRUE, PARTLY):
        known = setting.labels[:, finding] >= 0
        share = setting.labels[known, finding].mean()
        assert 0.2 < share < 0.8
        assert probabilities[known, finding].mean() == pytest.approx(share, abs=0.02)


def test_calibration_improves_calibration(finished: Finished, halves: tuple[Films, Films]) -> None:
    place = np.isin(finished.calibration.patients, halves[0].patients)
    truth = halves[0].labels[:, TRUE]
    uncalibrated = 1.0 / (1.0 + np.exp(-finished.logits_before[place, TRUE].astype(np.float64)))

    def likelihood(probabilities: np.ndarray) -> float:
        return float(np.log(np.where(truth == 1, probabilities, 1.0 - probabilities)).mean())

    assert likelihood(finished.probabilities(halves[0])[:, TRUE]) > likelihood(uncalibrated) + 0.01


def test_thresholds_are_the_best_of_the_setting_half(finished: Finished, halves: tuple[Films, Films]) -> None:
    probabilities = finished.probabilities(halves[0])
    for finding in (TRUE, PARTLY):
        labels = halves[0].labels[:, finding]

        def index(threshold: float, finding: int = finding, labels: np.ndarray = labels) -> float:
            said = probabilities[:, finding] >= threshold
            return float(said[labels == 1].mean() - said[labels == 0].mean())

        best = max(index(value) for value in probabilities[:, finding])
        assert index(finished.card.findings[finding].threshold) == pytest.approx(best)
    assert finished.card.findings[UNJUDGED].threshold == finished.card.findings[ABSENT].threshold == 0.5
