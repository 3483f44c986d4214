"""What a reader must know before the numbers, and what is true of every page."""

from __future__ import annotations

from html import escape

import streamlit as st

from components.markup import markdown_text
from medcam.core.explanation import Explanation
from words import film_warning, say

_STRANGE = "out of distribution"


def research_use() -> None:
    """The intended use, pinned to the lower edge of the window."""
    with st.bottom:
        st.html(f'<p class="research-use">{escape(say("notice.use"))}</p>')


def film_notices(explanation: Explanation) -> None:
    """Out-of-distribution state and warnings of one film."""
    gate, warnings = explanation.out_of_distribution, explanation.warnings
    if gate.flagged:
        # The record words this warning too; said once, and first, it is read.
        warnings = tuple(warning for warning in warnings if not warning.startswith(_STRANGE))
        st.warning(_strange(explanation), icon=":material/warning:")
    for warning in warnings:
        st.caption(f":orange[:material/info:] {markdown_text(film_warning(warning))}.")


def _strange(explanation: Explanation) -> str:
    gate = explanation.out_of_distribution
    words = [say("notice.strange")]
    if gate.score is not None and gate.threshold is not None:
        words.append(say("notice.score", score=gate.score, threshold=gate.threshold))
    withheld = any(finding.present is None for finding in explanation.findings)
    words.append(say("notice.withheld" if withheld else "notice.allowed"))
    return " ".join(words)
