"""The findings of a film: which one is looked at, and all of them in a table."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import streamlit as st

from components.markup import badge, probability_bar, spoken, table
from medcam.core.codes import CodedConcept
from medcam.core.finding import Finding
from results import margin_over


def by_margin(findings: Sequence[Finding]) -> list[Finding]:
    """Puts the findings in order: those that are present first, the one furthest over its threshold at the top."""
    return sorted(findings, key=lambda found: (not found.present, -margin_over(found.logit, found.threshold)))


def choose_finding(findings: Sequence[Finding], film_id: str) -> Finding:
    """Lets the reader choose a finding; the first is chosen on a film just opened."""
    by_name = {finding.name: finding for finding in findings}
    name = st.pills(
        "Finding",
        list(by_name),
        default=findings[0].name,
        required=True,
        format_func=spoken,
        key=f"finding-{film_id}",
        label_visibility="collapsed",
        wrap=True,
    )
    return by_name[name]


def findings_table(findings: Sequence[Finding], current: Finding) -> None:
    """All findings with probability against threshold; the one looked at is set apart."""
    marked = [finding.name for finding in findings].index(current.name)
    head = ("Finding", "Probability", "", "Threshold", "Answer")
    rows = [_cells(finding) for finding in findings]
    st.html(table("All findings, probability against threshold", head, rows, marked=marked))


def _cells(finding: Finding) -> tuple[str, ...]:
    return (
        f"{escape(spoken(finding.name))}{_code(finding.code)}",
        f'<span class="number">{finding.probability:.3f}</span>',
        probability_bar(finding.probability, finding.threshold),
        f'<span class="number quiet">{finding.threshold:.3f}</span>',
        badge(finding.present),
    )


def _code(code: CodedConcept | None) -> str:
    if code is None:
        return ""
    return f'<small title="{escape(code.meaning)}">{escape(f"{code.scheme} {code.value}")}</small>'
