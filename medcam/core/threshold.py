"""The value that a map must exceed to be in a region: shared by regions, pictures and evaluation."""

from __future__ import annotations

from medcam.core.card import RegionRule, RegionRuleKind


def region_threshold(rule: RegionRule, highest: float) -> float:
    """The threshold of a rule on one map, in logit units.

    Args:
        rule: The region rule.
        highest: Highest value of the map as resampled over the film.

    Returns:
        The rule's fraction of the highest value, or its absolute value; never below 0, since evidence against a
        finding is no region of it.
    """
    fraction = rule.kind is RegionRuleKind.PEAK_FRACTION
    return max(0.0, rule.threshold * highest if fraction else rule.threshold)
