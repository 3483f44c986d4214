"""Two explanations of one film: which findings are shared, and how far their regions agree."""

from __future__ import annotations

import numpy as np
import pytest

from medcam.core.activation import ActivationMap
from medcam.core.card import PAPER_RULE, RegionRule, RegionRuleKind
from medcam.core.errors import InvalidValueError
from medcam.core.explanation import Engine, Explanation, ModelReference, OutOfDistribution, Source
from medcam.core.finding import Finding
from medcam.core.geometry import GridTransform
from medcam.core.radiograph import Identity, PixelSpacing
from medcam.service.studies.compared import finding_pairs, region_agreement

ROWS, COLUMNS, SIDE = 160, 320, 8
RULES = (PAPER_RULE, PAPER_RULE)


def finding(name="Nodule", cells=((3, 3),), logit=1.0, rows=ROWS):
    values = np.zeros((SIDE, SIDE), np.float32)
    for row, column in cells:
        values[row, column] = 4.0
    transform = GridTransform(rows, COLUMNS, SIDE, SIDE, SIDE / rows, SIDE / COLUMNS)
    probability = 1.0 / (1.0 + np.exp(-logit))
    return Finding(name, None, probability, logit, 0.5, None, ActivationMap(values, 0.0, transform), None)


def explanation(*findings):
    return Explanation(
        Source(Identity(), ROWS, COLUMNS, "ab"),
        ModelReference("m", "1", "cd"),
        Engine(),
        "cam",
        findings,
        OutOfDistribution(None, None, False),
    )


def test_findings_that_both_know_come_first_with_their_differences():
    left = explanation(finding("Mass"), finding("Pleural Effusion", logit=-1.0))
    right = explanation(finding("pleural-effusion", logit=2.0), finding("Nodule"))
    pairs = finding_pairs(left, right)

    assert [(pair.name, pair.is_shared) for pair in pairs] == [
        ("Pleural Effusion", True),
        ("Mass", False),
        ("Nodule", False),
    ]
    assert pairs[0].logit_difference == pytest.approx(3.0)
    assert pairs[0].probability_difference == pytest.approx(0.8808 - 0.2689, abs=1e-4)
    assert pairs[1].logit_difference is pairs[2].probability_difference is None


def test_equal_maps_agree_fully():
    agreed = region_agreement(finding(), finding(), RULES, None)

    assert (agreed.iou, agreed.peak_pixels, agreed.peak_mm) == (1.0, 0.0, None)
    assert agreed.left_share == agreed.right_share > 0.0


def test_a_distance_is_told_in_pixels_and_in_mm_by_the_spacing_of_rows_and_columns():
    left, right = finding(cells=[(2, 2)]), finding(cells=[(5, 6)])
    agreed = region_agreement(left, right, RULES, PixelSpacing(row=0.5, column=0.1))

    assert agreed.iou == 0.0
    # Cells are 20 pixels high and 40 wide.
    assert agreed.peak_pixels == pytest.approx(np.hypot(3 * 20, 4 * 40), abs=2)
    assert agreed.peak_mm == pytest.approx(np.hypot(3 * 20 * 0.5, 4 * 40 * 0.1), abs=1)


def test_each_side_has_the_rule_of_its_own_model():
    narrow = RegionRule("calibrated", RegionRuleKind.PEAK_FRACTION, 0.9)
    agreed = region_agreement(finding(), finding(), (PAPER_RULE, narrow), None)

    assert agreed.iou == pytest.approx(agreed.right_share / agreed.left_share)
    assert agreed.right_share < agreed.left_share


def test_where_neither_has_a_region_there_is_nothing_to_agree_on():
    agreed = region_agreement(finding(cells=()), finding(cells=()), RULES, None)

    assert agreed.iou is None
    assert agreed.left_share == 0.0


def test_films_of_different_size_are_refused():
    with pytest.raises(InvalidValueError, match="different size"):
        region_agreement(finding(), finding(rows=ROWS * 2), RULES, None)
