"""What units add to a finding."""

from __future__ import annotations

import numpy as np
import pytest

from medcam.core.errors import InvalidValueError
from medcam.evaluate.units import unit_shares


def test_contributions_are_weights_times_means_and_sum_to_the_score() -> None:
    rng = np.random.default_rng(2)
    weights, means = rng.normal(size=7), rng.normal(size=(20, 7))
    labels = np.array([1] * 8 + [0] * 10 + [-1] * 2)
    shares = unit_shares(weights, means, labels)
    assert sum(share.present for share in shares) == pytest.approx(float((means[:8] @ weights).mean()))
    assert sum(share.absent for share in shares) == pytest.approx(float((means[8:18] @ weights).mean()))
    assert [share.present for share in shares] == sorted((share.present for share in shares), reverse=True)
    first = shares[0]
    assert first.weight == pytest.approx(weights[first.unit])
    assert first.difference == pytest.approx(first.present - first.absent)


def test_without_films_that_lack_the_finding_there_is_no_difference() -> None:
    assert np.isnan(unit_shares([1.0], [[2.0]], [1])[0].difference)


@pytest.mark.parametrize(
    ("weights", "means", "labels"), [([1.0], [[1.0]], [0]), ([1.0, 2.0], [[1.0]], [1]), ([1.0], [[1.0]], [1, 0])]
)
def test_what_cannot_be_added_up_is_refused(weights: list[float], means: list[list[float]], labels: list[int]) -> None:
    with pytest.raises(InvalidValueError):
        unit_shares(weights, means, labels)
