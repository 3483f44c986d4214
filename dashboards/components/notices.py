"""What a reader must know before the numbers, and what is true of every page."""

from __future__ import annotations

import streamlit as st

from components.markup import markdown_text
from medcam.core.explanation import RESEARCH_USE, Explanation

INTENDED_USE = f"{RESEARCH_USE} A map highlights; it never proves."
_STRANGE = "out of distribution"


def research_use() -> None:
    """The intended use, pinned to the lower edge of the window."""
    with st.bottom:
        st.html(f'<p class="research-use">{INTENDED_USE}</p>')


def film_notices(explanation: Explanation) -> None:
    """Out-of-distribution state and warnings of one film."""
    gate, warnings = explanation.out_of_distribution, explanation.warnings
    if gate.flagged:
        # The record words this warning too; said once, and first, it is read.
        warnings = tuple(warning for warning in warnings if not warning.startswith(_STRANGE))
        st.warning(_strange(explanation), icon=":material/warning:")
    for warning in warnings:
        words = warning[:1].upper() + warning[1:].rstrip(".")
        st.caption(f":orange[:material/info:] {markdown_text(words)}.")


def _strange(explanation: Explanation) -> str:
    gate = explanation.out_of_distribution
    words = (
        "**Out of distribution.** This film is unlike the films the model was trained on: do not rely on its numbers."
    )
    if gate.score is not None and gate.threshold is not None:
        words += f" Score {gate.score:.3g}, flagged over {gate.threshold:.3g}."
    if any(finding.present is None for finding in explanation.findings):
        return f"{words} Whether a finding is present is withheld."
    return f"{words} An answer is shown only because the run asked for it."
