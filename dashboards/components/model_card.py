"""A model card for the eye."""

from __future__ import annotations

from html import escape

import streamlit as st

from components.markup import facts, table
from medcam.core.card import FindingCard, Interval, ModelCard
from words import finding_name, say

_FIGURES = ("auc", "pointing", "iou")


def draw(card: ModelCard, *, short: bool = False) -> None:
    """Draws a model card.

    Args:
        card: The card.
        short: Whether what takes much room is left out.
    """
    recipe = card.input
    size = f"{recipe.width} × {recipe.height} × {recipe.channels}, {recipe.intensity}, {recipe.fit}"
    st.html(
        facts(
            (
                (say("models.version"), card.version),
                (say("models.weights"), card.weights_sha256[:16]),
                (say("models.head"), f"{card.backbone}, {card.head}"),
                (say("models.input"), size),
                (say("models.trained-on"), card.training_data),
                (say("models.licence"), card.training_licence),
                (say("models.command"), "" if short else card.training_command),
                (say("models.use"), card.intended_use),
                (say("models.limits"), " ".join(card.limits)),
            )
        )
    )
    if short:
        return
    names = [name for name in _FIGURES if any(name in finding.performance for finding in card.findings)]
    head = (say("review.table.finding"), say("review.table.threshold"), *names)
    st.html(table(say("models.findings"), head, [_row(finding, names) for finding in card.findings]))


def _row(finding: FindingCard, names: list[str]) -> tuple[str, ...]:
    cells = (f'<span class="number">{_interval(finding.performance.get(name))}</span>' for name in names)
    return (escape(finding_name(finding.name)), f'<span class="number">{finding.threshold:.3f}</span>', *cells)


def _interval(figure: Interval | None) -> str:
    return "" if figure is None else f"{figure.value:.3f} ({figure.low:.3f}–{figure.high:.3f})"
