import pytest

from medcam.core.card import PAPER_RULE, RegionRule, RegionRuleKind
from medcam.core.threshold import region_threshold


def test_a_fraction_follows_the_peak_and_an_absolute_value_does_not() -> None:
    absolute = RegionRule("calibrated", RegionRuleKind.ABSOLUTE, 1.5)
    assert region_threshold(PAPER_RULE, 10.0) == pytest.approx(2.0)
    assert region_threshold(absolute, 10.0) == region_threshold(absolute, 1.0) == 1.5


def test_evidence_against_is_never_under_the_threshold() -> None:
    assert region_threshold(PAPER_RULE, -4.0) == 0.0
    assert region_threshold(RegionRule("calibrated", RegionRuleKind.ABSOLUTE, -1.0), 3.0) == 0.0
