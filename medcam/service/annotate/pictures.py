"""Which findings of a film are drawn, and their pictures."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from medcam.core.arrays import ByteArray
from medcam.core.card import FindingCard, ModelCard
from medcam.core.codes import slug
from medcam.core.errors import InvalidValueError, UsageError
from medcam.core.explanation import Explanation
from medcam.core.finding import Finding
from medcam.overlay.capture import draw_capture
from medcam.overlay.film import Film
from medcam.overlay.overlay import draw_overlay

PICTURE_SIDE = 1024
"""Pixels along the longer side of the film in a PNG."""


def requested_findings(names: Sequence[str], card: ModelCard) -> tuple[str, ...]:
    """The card's own names of findings asked for, each once, in the card's order.

    Raises:
        UsageError: The model has no such finding (code `no-such-finding`).
    """
    known = {slug(name): name for name in card.finding_names}
    chosen = {_key(name): name for name in names}
    for key, name in chosen.items():
        if key not in known:
            raise UsageError(
                f"{card.name} has no finding {name!r}",
                code="no-such-finding",
                next_step=f"It knows: {', '.join(known)}.",
            )
    return tuple(name for key, name in known.items() if key in chosen)


def findings_to_draw(explanation: Explanation, requested: Sequence[str]) -> tuple[Finding, ...]:
    """The findings whose overlays are written.

    Args:
        explanation: Of one film.
        requested: Names from `requested_findings`; empty for the default.

    Returns:
        The requested ones. By default those that are present, strongest first; where none is, or where the answer is
        withheld (out of distribution), the one whose probability lies highest relative to its threshold, so that
        every film has a picture.
    """
    if requested:
        return tuple(explanation.finding(name) for name in requested)
    ranked = sorted(explanation.findings, key=margin, reverse=True)
    present = tuple(finding for finding in ranked if finding.present)
    return present or tuple(ranked[:1])


def margin(finding: Finding) -> float:
    """How far a finding's logit lies above its operating threshold (below when negative), in logit units."""
    return finding.logit - math.log(finding.threshold / (1.0 - finding.threshold))


def draw_overlays(
    film: Film, explanation: Explanation, findings: Sequence[Finding], card: ModelCard
) -> Iterator[ByteArray]:
    """Draws one overlay per finding, uint8 RGB each."""
    cards: dict[str, FindingCard] = {item.name: item for item in card.findings}
    for finding in findings:
        yield draw_overlay(
            film, finding, card=cards.get(finding.name), model=explanation.model, ood=explanation.out_of_distribution
        )


def draw_sheet(
    film: Film, explanation: Explanation, findings: Sequence[Finding], card: ModelCard, long_side: int
) -> ByteArray:
    """Draws the plain film with those of the findings beside it, for a Secondary Capture: uint8 RGB."""
    cards: dict[str, FindingCard] = {item.name: item for item in card.findings}
    shown = [(finding, cards.get(finding.name)) for finding in findings]
    return draw_capture(film, shown, explanation.model, explanation.out_of_distribution, long_side=long_side)


def _key(name: str) -> str:
    try:
        return slug(name)
    except InvalidValueError:
        return ""
