"""What a logit is made of, where the evidence lies, and which regions stand out."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import streamlit as st

from components.markup import balance, signed, table
from medcam.core.finding import Evidence, Finding, Region, ZonesSource
from medcam.core.relation import Relation
from medcam.core.zones import ZONES
from words import finding_name, say

_RULES = ("paper", "calibrated")


def ledger(finding: Finding) -> None:
    """The ledger: logit = bias + evidence for + evidence against, in logit units."""
    evidence = finding.evidence
    if evidence is None:
        st.caption(_why_no_ledger(finding))
        return
    rows = (
        (say("ledger.bias"), evidence.bias),
        (say("ledger.for"), evidence.total_positive),
        (say("ledger.against"), evidence.total_negative),
    )
    st.html(balance(say("ledger.caption"), rows, (say("ledger.logit"), finding.logit)))


def zones(evidence: Evidence | None) -> None:
    """The evidence per anatomical zone, or why there is none."""
    if evidence is None or evidence.zones is None:
        st.caption(_why_no_zones(evidence))
        return
    known = [name for name in ZONES if name in evidence.zones]
    others = [name for name in evidence.zones if name not in ZONES]
    rows = [(finding_name(name), evidence.zones[name]) for name in (*known, *others)]
    total = (say("ledger.sum"), evidence.total_positive + evidence.total_negative)
    st.html(balance(say("ledger.zones"), rows, total))
    source = say(f"ledger.source.{evidence.zones_source}")
    if evidence.zones_quality is None:
        st.caption(say("ledger.source", source=source))
    else:
        st.caption(say("ledger.source-quality", source=source, quality=evidence.zones_quality))


def regions(found: Sequence[Region], *, has_ledger: bool = True) -> None:
    """The regions of a finding with box and share."""
    if not found:
        st.caption(say("ledger.no-region"))
        return
    rows = [(escape(rule_name(region.rule)), *_region_cells(region)) for region in found]
    names = ("rule", "x", "y", "width", "height", "peak", "share")
    head = [name if len(name) == 1 else say(f"ledger.{name}") for name in names]
    st.html(table(say("ledger.regions"), head, rows))
    st.caption(say("ledger.share-of" if has_ledger else "ledger.share-of-map"))


def rule_name(rule: str) -> str:
    """A region rule's name for the eye."""
    return say(f"ledger.rule.{rule}") if rule in _RULES else rule or "–"


def _region_cells(region: Region) -> tuple[str, ...]:
    box, peak = region.box, region.peak
    numbers = (
        *(f"{value:.0f}" for value in (box.x, box.y, box.width, box.height)),
        f"{peak.x:.0f}, {peak.y:.0f}",
        f"{100 * region.share:.0f} %",
    )
    return tuple(f'<span class="number">{number}</span>' for number in numbers)


def _why_no_ledger(finding: Finding) -> str:
    relation, logit = finding.map.relation, signed(finding.logit)
    if relation in (None, Relation.UNSTATED) or finding.map.ledger:
        return say("ledger.none", logit=logit)
    return say("ledger.none-because", logit=logit, relation=say(f"ledger.relation.{relation}"))


def _why_no_zones(evidence: Evidence | None) -> str:
    if evidence is None:
        return say("ledger.no-zones")
    if evidence.zones_source is ZonesSource.NONE:
        return say("ledger.no-anatomy")
    source = say(f"ledger.source.{evidence.zones_source}")
    if evidence.zones_quality is None:
        return say("ledger.poor", source=source)
    return say("ledger.poor-quality", source=source, quality=evidence.zones_quality)
