"""What a logit is made of, where the evidence lies, and which regions stand out."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import streamlit as st

from components.markup import balance, signed, spoken, table
from medcam.core.finding import Evidence, Finding, Region, ZonesSource
from medcam.core.relation import Relation
from medcam.core.zones import ZONES


def ledger(finding: Finding) -> None:
    """The ledger: logit = bias + evidence for + evidence against, in logit units."""
    evidence = finding.evidence
    if evidence is None:
        st.caption(f"Logit {signed(finding.logit)}. {_why_no_ledger(finding)}")
        return
    rows = (
        ("Bias", evidence.bias),
        ("Evidence for", evidence.total_positive),
        ("Evidence against", evidence.total_negative),
    )
    st.html(balance("Ledger, in logit units", rows, ("Logit", finding.logit)))


def zones(evidence: Evidence | None) -> None:
    """The evidence per anatomical zone, or why there is none."""
    if evidence is None or evidence.zones is None:
        st.caption(_why_no_zones(evidence))
        return
    known = [name for name in ZONES if name in evidence.zones]
    others = [name for name in evidence.zones if name not in ZONES]
    rows = [(spoken(name), evidence.zones[name]) for name in (*known, *others)]
    total = ("Sum: for + against", evidence.total_positive + evidence.total_negative)
    st.html(balance("Evidence per zone, in logit units", rows, total))
    quality = "" if evidence.zones_quality is None else f", quality {evidence.zones_quality:.2f} of 1"
    st.caption(f"Zones from {_SOURCE[evidence.zones_source]}{quality}. Right and left are the patient's.")


def regions(found: Sequence[Region], *, has_ledger: bool = True) -> None:
    """The regions of a finding with box and share."""
    if not found:
        st.caption("No region: no part of the map passes the region rule.")
        return
    rows = [(escape(spoken(region.rule) or "Region"), *_region_cells(region)) for region in found]
    st.html(table("Regions, in source pixels from the top left corner", _REGION_HEAD, rows))
    whole = "positive evidence" if has_ledger else "map's values above 0"
    st.caption(f"Share of the {whole} inside the region. It is not a share of the probability.")


_REGION_HEAD = ("Rule", "x", "y", "Width", "Height", "Peak", "Share")
_SOURCE = {
    ZonesSource.PHANTOM: "the phantom's own masks",
    ZonesSource.REGISTRATION: "registration of an atlas",
    ZonesSource.NONE: "an unnamed source",
}


def _region_cells(region: Region) -> tuple[str, ...]:
    box, peak = region.box, region.peak
    numbers = (
        *(f"{value:.0f}" for value in (box.x, box.y, box.width, box.height)),
        f"{peak.x:.0f}, {peak.y:.0f}",
        f"{100 * region.share:.0f} %",
    )
    return tuple(f'<span class="number">{number}</span>' for number in numbers)


def _why_no_ledger(finding: Finding) -> str:
    relation = finding.map.relation
    if relation in (None, Relation.UNSTATED) or finding.map.ledger:
        return "There is no ledger: the map does not add up to it."
    return f"There is no ledger: the logit is {relation.words}."


def _why_no_zones(evidence: Evidence | None) -> str:
    if evidence is None:
        return "No evidence per zone: the head of this model has no ledger."
    if evidence.zones_source is ZonesSource.NONE:
        return "No evidence per zone: where the anatomy lies on this film is not known."
    quality = "" if evidence.zones_quality is None else f" ({evidence.zones_quality:.2f} of 1)"
    return f"No evidence per zone: the quality of the {evidence.zones_source.value} is too poor{quality}."
