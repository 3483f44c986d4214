"""The run as a whole: is it complete, and what was set aside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import streamlit as st

from components.markup import facts, markdown_text
from run_record import RunRecord, SetAside


def run_state(run: RunRecord) -> None:
    """Says so when the run is not complete or its record is damaged."""
    if not run.complete:
        st.info(
            "This run is not complete: manifest.json is not written yet. The same `medcam annotate` command goes on "
            "where it stopped.",
            icon=":material/hourglass_top:",
        )
    if run.problem:
        st.warning(markdown_text(run.problem), icon=":material/info:")


def run_details(run: RunRecord) -> None:
    """Counts, quarantined and skipped inputs, folded away."""
    if run.counts:
        with st.expander("Run"):
            st.html(facts((name.capitalize(), str(number)) for name, number in run.counts.items()))
    _set_aside("Quarantined", run.quarantined)
    _set_aside("Skipped", run.skipped)


def _set_aside(title: str, inputs: Sequence[SetAside]) -> None:
    if not inputs:
        return
    with st.expander(f"{title} ({len(inputs)})"):
        numbers = Counter(entry.code for entry in inputs).most_common()
        st.html(facts((code, str(number)) for code, number in numbers))
        columns = {
            "Code": [entry.code for entry in inputs],
            "Source": [entry.source for entry in inputs],
            "Reason": [entry.message for entry in inputs],
        }
        st.dataframe(columns, hide_index=True)
