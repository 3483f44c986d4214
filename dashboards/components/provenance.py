"""What the numbers came from: enough to recompute them."""

from __future__ import annotations

import streamlit as st

from components.markup import facts
from medcam.core.explanation import Explanation

_DIGITS = 12


def model_line(explanation: Explanation) -> None:
    """Model, version, weights and method in one line."""
    model = explanation.model
    weights = model.weights_sha256[:_DIGITS] or "not saved"
    pairs = (("Model", model.name), ("Version", model.version), ("Weights", weights), ("Method", explanation.method))
    st.html(facts(pairs, line=True))


def record(explanation: Explanation) -> None:
    """Engine, input digest and software, folded away."""
    engine = explanation.engine
    with st.expander("Record"):
        st.html(
            facts(
                (
                    ("Engine", f"{engine.name}, {engine.precision}"),
                    ("Largest logit error", f"{engine.max_logit_error:.1e}"),
                    ("Input", explanation.source.sha256[:_DIGITS]),
                    ("Created", explanation.created.isoformat(" ", "seconds") if explanation.created else ""),
                    *explanation.software.items(),
                )
            )
        )
