"""Platt's calibration."""

from __future__ import annotations

import numpy as np
import pytest

from medcam.models.platt import platt


def test_it_finds_the_scale_and_shift_that_made_the_labels():
    rng = np.random.default_rng(0)
    scores = rng.normal(0.0, 3.0, 20_000)
    labels = rng.random(20_000) < 1.0 / (1.0 + np.exp(-(0.5 * scores - 1.0)))

    assert platt(scores, labels.astype(int)) == pytest.approx((0.5, -1.0), abs=0.05)


def test_scores_without_an_error_get_no_endless_slope():
    scale, shift = platt([-2.0, -1.0, 1.0, 2.0], [0, 0, 1, 1])

    assert 0.0 < scale < 10.0
    assert abs(shift) < 1.0


@pytest.mark.parametrize(("scores", "labels"), [([1.0, 2.0], [1, 1]), ([-2.0, -1.0, 1.0, 2.0], [1, 1, 0, 0])])
def test_it_never_turns_a_finding_around(scores, labels):
    assert platt(scores, labels) == (1.0, 0.0)
