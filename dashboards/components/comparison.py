"""What two explanations of a film say, beside each other: findings, evidence by zone, and where they point to."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import streamlit as st

from components.ledger import rule_name
from components.markup import badge, signed, table
from medcam.core.card import PAPER_RULE, RegionRule
from medcam.core.finding import Finding
from medcam.core.zones import ZONES
from medcam.service.studies.compared import FindingPair, RegionAgreement, region_agreement
from medcam.service.studies.opened import OpenedStore
from medcam.service.studies.shown import Said, ShownFilm, card_of
from words import answer_word, finding_name, say

_NONE = "–"


def draw(
    opened: OpenedStore, film: ShownFilm, sides: tuple[Said, Said], pairs: Sequence[FindingPair], current: FindingPair
) -> None:
    """Draws the tables.

    Args:
        opened: The store.
        film: The film.
        sides: Both explanations.
        pairs: Their findings.
        current: The finding whose maps are shown.
    """
    findings, places = st.columns((3, 2), gap="medium")
    with findings:
        _findings(pairs, current)
    with places:
        st.html(f"<h4>{escape(finding_name(current.name))}</h4>")
        if current.left is None or current.right is None:
            st.caption(say("compare.one-knows"))
            return
        rules = (_rule(opened, sides[0], current.left), _rule(opened, sides[1], current.right))
        _agreement(region_agreement(current.left, current.right, rules, film.spacing), rules)
        _zones(current.left, current.right)


def _findings(pairs: Sequence[FindingPair], current: FindingPair) -> None:
    left, right = say("compare.left"), say("compare.right")
    probability, logit, threshold = (say(f"compare.{name}") for name in ("probability", "logit", "threshold"))
    head = (
        say("review.table.finding"),
        *(f"{name}, {side}" for side in (left, right) for name in (probability, threshold, logit)),
        f"Δ {probability}",
        f"Δ {logit}",
    )
    rows = [
        (
            escape(finding_name(pair.name)),
            *_cells(pair.left),
            *_cells(pair.right),
            _number(pair.probability_difference),
            _number(pair.logit_difference),
        )
        for pair in pairs
    ]
    st.html(table(say("compare.findings"), head, rows, marked=list(pairs).index(current)))
    st.caption(say("compare.difference"))


def _cells(finding: Finding | None) -> tuple[str, str, str]:
    if finding is None:
        return (_NONE, _NONE, _NONE)
    return (
        f'<span class="number">{finding.probability:.3f}</span> {badge(finding.present, answer_word(finding.present))}',
        f'<span class="number">{finding.threshold:.3f}</span>',
        f'<span class="number">{signed(finding.logit)}</span>',
    )


def _number(value: float | None) -> str:
    return _NONE if value is None else f'<span class="number">{signed(value)}</span>'


def _rule(opened: OpenedStore, said: Said, finding: Finding) -> RegionRule:
    cards = {card.name: card for card in card_of(opened, said).findings}
    return cards[finding.name].rule_for(finding.map.method) if finding.name in cards else PAPER_RULE


def _agreement(agreed: RegionAgreement, rules: tuple[RegionRule, RegionRule]) -> None:
    millimetres = say("compare.no-spacing") if agreed.peak_mm is None else f"{agreed.peak_mm:.1f} mm"
    rows = [
        (say("compare.iou"), say("compare.no-region") if agreed.iou is None else f"{agreed.iou:.2f}"),
        (say("compare.peaks"), f"{agreed.peak_pixels:.0f} px · {millimetres}"),
        (say("compare.covered"), f"{100 * agreed.left_share:.1f} % · {100 * agreed.right_share:.1f} %"),
    ]
    cells = [(escape(name), f'<span class="number">{escape(value)}</span>') for name, value in rows]
    st.html(table(say("compare.agreement"), (), cells))
    st.caption(say("compare.rules", left=rule_name(rules[0].name), right=rule_name(rules[1].name)))


def _zones(left: Finding, right: Finding) -> None:
    evidence = [one.evidence.zones if one.evidence else None for one in (left, right)]
    if evidence[0] is None and evidence[1] is None:
        st.caption(say("compare.no-zones"))
        return
    known = [name for name in ZONES if any(name in zones for zones in evidence if zones)]
    rows = []
    for name in known:
        first, second = (None if zones is None else zones.get(name, 0.0) for zones in evidence)
        difference = None if first is None or second is None else second - first
        rows.append((escape(finding_name(name)), _number(first), _number(second), _number(difference)))
    head = (say("compare.zone"), say("compare.left"), say("compare.right"), "Δ")
    st.html(table(say("compare.zones"), head, rows))
