"""What the numbers came from: enough to recompute them."""

from __future__ import annotations

import streamlit as st

from components.markup import facts
from medcam.core.explanation import Explanation
from words import say

_DIGITS = 12


def model_line(explanation: Explanation) -> None:
    """Model, version, weights and method in one line."""
    model = explanation.model
    weights = model.weights_sha256[:_DIGITS] or say("record.not-saved")
    values = {"model": model.name, "version": model.version, "weights": weights, "method": explanation.method}
    st.html(facts([(say(f"record.{name}"), value) for name, value in values.items()], line=True))


def record(explanation: Explanation) -> None:
    """Engine, input digest and software, folded away."""
    engine, created = explanation.engine, explanation.created
    with st.expander(say("record.title")):
        st.html(
            facts(
                (
                    (say("record.engine"), f"{engine.name}, {engine.precision}"),
                    (say("record.error"), f"{engine.max_logit_error:.1e}"),
                    (say("record.input"), explanation.source.sha256[:_DIGITS]),
                    (
                        say("record.created"),
                        created.isoformat(" ", "seconds") if created else "",
                    ),
                    *explanation.software.items(),
                )
            )
        )
