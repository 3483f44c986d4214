"""Figures, region rules, colour scale and gate of a finished model are true of the films that they are of."""

from __future__ import annotations

import numpy as np
import pytest
from finished_model import ABSENT, ANTI, PARTLY, SIDE, TRUE, UNJUDGED, Finished
from scipy.stats import binomtest

from medcam.core.card import RegionRuleKind
from medcam.evaluate.classification import auc, expected_calibration_error
from medcam.models.training.films import Films
from medcam.models.training.validation import pointing_game


def test_figures_are_of_the_other_half(finished: Finished, halves: tuple[Films, Films]) -> None:
    measuring = halves[1]
    logits = finished.logits(measuring)
    for finding in (TRUE, ANTI, PARTLY):
        known = measuring.labels[:, finding] >= 0
        figure = finished.card.findings[finding].performance["auc"]
        assert figure.value == pytest.approx(auc(measuring.labels[known, finding], logits[known, finding]))
        assert figure.low < figure.value < figure.high
        called = finished.probabilities(measuring)[known, finding] >= finished.card.findings[finding].threshold
        right = called == (measuring.labels[known, finding] == 1)
        for label, name in ((1, "sensitivity"), (0, "specificity")):
            share = right[measuring.labels[known, finding] == label].mean()
            assert finished.card.findings[finding].performance[name].value == pytest.approx(share)
    for finding in (UNJUDGED, ABSENT):
        assert not finished.card.findings[finding].performance
    assert finished.card.findings[TRUE].performance["auc"].value > 0.6
    assert finished.card.findings[ANTI].performance["auc"].value < 0.4
    known = measuring.labels >= 0
    error = expected_calibration_error(measuring.labels[known], finished.probabilities(measuring)[known])
    assert finished.card.performance["ece"].value == pytest.approx(error, abs=1e-6)
    aucs = [finished.card.findings[finding].performance["auc"].value for finding in (TRUE, ANTI, PARTLY)]
    assert finished.card.performance["mean-auc"].value == pytest.approx(np.mean(aucs))


def test_pointing_has_wilsons_interval(finished: Finished, halves: tuple[Films, Films]) -> None:
    measuring = halves[1]
    maps = finished.loaded.predict(measuring.images.astype(np.float32)[:, None]).maps
    for finding in (TRUE, ANTI, PARTLY):
        present = measuring.labels[:, finding] == 1
        hits = pointing_game(maps[present, finding], measuring.masks[present, finding])  # type: ignore[index]
        wanted = binomtest(int(hits.sum()), len(hits)).proportion_ci(method="wilson")
        figure = finished.card.findings[finding].performance["pointing"]
        assert figure.value == pytest.approx(hits.mean())
        assert (figure.low, figure.high) == pytest.approx((wanted.low, wanted.high), abs=1e-3)


def test_region_rules_are_calibrated_where_the_truth_is_known(finished: Finished) -> None:
    for finding in (TRUE, ANTI, PARTLY):
        card = finished.card.findings[finding]
        assert card.region_rule.name == "calibrated"
        figures = card.performance
        # The masks are the upper fifth of each map, which the rule can find and 20 % of the maximum cannot.
        assert figures["iou"].value > 0.45
        assert figures["iou"].value >= figures["iou-paper"].value - 0.02
    unknown = finished.card.findings[UNJUDGED].region_rule
    assert (unknown.name, unknown.kind, unknown.threshold) == ("calibrated", RegionRuleKind.PEAK_FRACTION, 0.2)


def test_the_colour_scale_ends_among_the_peaks(finished: Finished, halves: tuple[Films, Films]) -> None:
    maps = finished.loaded.predict(halves[0].images.astype(np.float32)[:, None]).maps
    for finding in (TRUE, ANTI, PARTLY):
        peaks = maps[halves[0].labels[:, finding] == 1, finding].max(axis=(1, 2))
        higher = (peaks > finished.card.findings[finding].map_scale).mean()
        assert higher == pytest.approx(0.25, abs=0.1)
    assert finished.card.findings[UNJUDGED].map_scale == 1.0


def test_the_gate_lets_known_films_pass_and_strange_ones_not(finished: Finished, halves: tuple[Films, Films]) -> None:
    limit = finished.card.out_of_distribution_threshold
    assert limit is not None

    def scores(images: np.ndarray) -> np.ndarray:
        found = finished.loaded.out_of_distribution(images, finished.loaded.predict(images))
        assert found is not None
        return found

    known = scores(halves[0].images.astype(np.float32)[:, None])
    assert 0.0 < (known > limit).mean() <= 0.1
    noise = np.random.default_rng(0).normal(0.0, 1.0, (20, 1, SIDE, SIDE)).astype(np.float32)
    assert (scores(noise) > limit).all()
