"""The models that spoke, with their cards as they were then."""

from __future__ import annotations

import streamlit as st

from components import model_card
from components.markup import markdown_text
from desk import opened_desk
from medcam.service.studies.shown import card_from_text
from words import say


def main() -> None:
    """Draws the page."""
    models = opened_desk().films.models()
    if not models:
        st.info(say("models.none"))
        return
    for number, model in enumerate(models):
        title = " · ".join(markdown_text(word) for word in (model.name, model.version))
        with st.expander(f"{title} · {say('models.explanations')}: {model.explanations}", expanded=number == 0):
            model_card.draw(card_from_text(model.card))


main()
