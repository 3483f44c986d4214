"""Which film is to be read first, by what a model says of it."""

from __future__ import annotations

import math

from medcam.core.explanation import Explanation
from medcam.core.finding import Finding

_LARGEST = 30.0
"""Logit units. Beyond this a margin says nothing more, and 1 / (1 + exp) would lose its steps."""


def margin(finding: Finding) -> float:
    """How far a finding's logit lies over its operating threshold, in logit units.

    The difference of probabilities would put a near-certain finding with a high threshold behind everything else.
    """
    threshold = min(max(finding.threshold, 1e-12), 1.0 - 1e-12)
    return finding.logit - math.log(threshold / (1.0 - threshold))


def rank(explanation: Explanation) -> float:
    """Where a film belongs in a worklist: the smallest number is to be read first.

    First come films with a finding that is present, the one furthest over its threshold at the top (-3 to -2.5). Then
    those of which the model says nothing, since nobody knows what they show (-1). Last those without a finding, the
    nearest miss first (-0.5 to 0).
    """
    answered = [finding for finding in explanation.findings if finding.present is not None]
    if not answered:
        return -1.0
    present = [margin(finding) for finding in answered if finding.present]
    highest = max(present or [margin(finding) for finding in answered])
    share = 1.0 / (1.0 + math.exp(-min(max(highest, -_LARGEST), _LARGEST)))
    return -2.0 - share if present else -share
