"""Why a model may have been wrong on a film: rules with thresholds on where its evidence lay.

Whether a radiologist, the network or the label is wrong cannot be read off a map. The rules say where to look first.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from medcam.core.errors import InvalidValueError


class Mistake(StrEnum):
    """How answer and label disagree."""

    FALSE_POSITIVE = "false positive"
    FALSE_NEGATIVE = "false negative"


class Cause(StrEnum):
    """Likely reasons, in the words of the results."""

    MARK = "evidence on marker or text"
    OUTSIDE = "outside the body"
    CLOSE = "close to the threshold"
    NOTHING = "little or nothing there: label in doubt"
    EXPECTED = "in the expected anatomy: label in doubt"
    ELSEWHERE = "elsewhere in the body"
    SPREAD = "spread: nowhere in particular"
    UNPLACED = "not placed: anatomy unknown"


LABEL_IN_DOUBT = frozenset((Cause.EXPECTED, Cause.NOTHING))
"""Reasons that say: look at the label first."""


@dataclass(frozen=True, slots=True)
class TriageRules:
    """Thresholds of `likely_cause`, chosen on phantoms of other seeds than those of the measure.

    Args:
        mark_share: Share of the evidence in cells that touch a marker or text, from which on these are named.
        mark_enrichment: That share must also be this many times the share of the cells that touch them.
        mark_logit: And these cells must move the logit at least so far.
        outside_share: Share of the evidence outside the body from which on that is named.
        sure: Logit units between answer and threshold below which it is close; 0.7 doubles or halves the odds.
        spread_area: Evidence of which half takes this share of the cells or more lies nowhere in particular.
        expected_share: Share in the expected anatomy from which on that is named.
    """

    mark_share: float = 0.25
    mark_enrichment: float = 3.0
    mark_logit: float = 0.7
    outside_share: float = 0.5
    sure: float = 0.7
    spread_area: float = 0.12
    expected_share: float = 0.33


RULES = TriageRules()


@dataclass(frozen=True, slots=True)
class EvidencePlaces:
    """Where the evidence for the answer given lies, as shares of it: evidence for a yes, evidence against for a no.

    Args:
        marks: In cells that touch markers or text.
        marks_area: Share of the cells that touch them.
        marks_logit: Logit units that the evidence in these cells adds up to, at least 0.
        half_area: Smallest share of the cells that holds half of the evidence.
        outside: Outside the body; None where the zones are unknown or poor.
        expected: In the expected anatomy; None where that or the zones are unknown.
    """

    marks: float
    marks_area: float
    marks_logit: float
    half_area: float
    outside: float | None
    expected: float | None

    def __post_init__(self) -> None:
        shares = (self.marks, self.marks_area, self.half_area, self.outside, self.expected)
        if not all(share is None or -1e-6 <= share <= 1.0 + 1e-6 for share in shares):
            raise InvalidValueError("shares of evidence and of cells lie between 0 and 1")
        if self.marks_logit < 0.0:
            raise InvalidValueError("evidence for an answer is at least 0")


def likely_cause(mistake: Mistake, margin: float, places: EvidencePlaces, rules: TriageRules = RULES) -> Cause:
    """The first rule that holds.

    1. `MARK`: enough of the evidence touches markers or text, many times what their area would have, and it counts.
    2. `OUTSIDE`, for a false positive: most of the evidence lies outside the body.
    3. `CLOSE`: the answer is close to the threshold; it could as well have been right.
    4. `NOTHING`, for a false negative: the model is sure, it found little or nothing.
    5. `SPREAD`: half of the evidence takes a large part of the film.
    6. `UNPLACED`: the zones, or where the finding is expected, are unknown.
    7. `EXPECTED`: enough of the evidence lies where the finding is expected.
    8. `ELSEWHERE`: it lies in the body, and not there.

    Args:
        mistake: How the answer was wrong.
        margin: Logit minus the logit of the operating threshold; negative where the finding was called absent.
        places: Where the evidence for the answer lies.
        rules: Thresholds.
    """
    if _on_marks(places, rules):
        return Cause.MARK
    positive = mistake is Mistake.FALSE_POSITIVE
    if positive and places.outside is not None and places.outside >= rules.outside_share:
        return Cause.OUTSIDE
    if abs(margin) < rules.sure:
        return Cause.CLOSE
    return _placed(places, rules) if positive else Cause.NOTHING


def _on_marks(places: EvidencePlaces, rules: TriageRules) -> bool:
    least = max(rules.mark_share, rules.mark_enrichment * places.marks_area)
    return places.marks >= least and places.marks_logit >= rules.mark_logit


def _placed(places: EvidencePlaces, rules: TriageRules) -> Cause:
    if places.half_area >= rules.spread_area:
        return Cause.SPREAD
    if places.outside is None or places.expected is None:
        return Cause.UNPLACED
    return Cause.EXPECTED if places.expected >= rules.expected_share else Cause.ELSEWHERE
