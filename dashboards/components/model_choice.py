"""Whose answer is shown of a film of which several models spoke."""

from __future__ import annotations

import streamlit as st

from components.markup import distinct
from medcam.service.studies.shown import Said, ShownFilm
from words import say

_ADDRESS = "explanation"


def choose(film: ShownFilm) -> ShownFilm:
    """The film led by the explanation that the address or the reader chose; drawn where there is a choice."""
    by_id = {one.id: one for one in film.explanations}
    if len(by_id) < 2:
        return film
    names = list(by_id)
    labels = distinct({key: label(one) for key, one in by_id.items()})
    wanted = st.query_params.get(_ADDRESS)
    chosen = st.selectbox(
        say("review.said-by"),
        names,
        index=names.index(wanted) if wanted in by_id else 0,
        format_func=labels.__getitem__,
        key=f"said-by-{film.film.id}",
    )
    st.query_params[_ADDRESS] = chosen
    return film.led_by(chosen)


def label(said: Said) -> str:
    """Model, version and method of an explanation, with the beginning of its weights' digest."""
    return " · ".join((f"{said.model} {said.version}", said.method, said.weights_sha256[:8]))
