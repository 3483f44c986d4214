"""What a reader prefers, kept in their browser so that it survives a reload: language, appearance, hiding the model."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from appearance import COOKIE, DARK, LIGHT
from components import blind_read
from words import LANGUAGE_COOKIE, language, say

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

_HIDE_COOKIE = "medcam_hide"
_CHOSEN = "appearance"


@cache
def _component() -> ComponentRenderer:
    script = Path(__file__).with_name("preferences.js").read_text(encoding="utf-8")
    return st.components.v2.component("medcam_preferences", js=script)


def recall() -> None:
    """Takes up what the browser has kept; to be called before a page is drawn."""
    if st.context.cookies.get(_HIDE_COOKIE) == "1":
        blind_read.hide_at_first()


def choose_appearance() -> None:
    """Lets the reader choose between dark and light."""
    if _CHOSEN not in st.session_state:
        st.session_state[_CHOSEN] = _shown()
    st.segmented_control(
        say("appearance"),
        (DARK, LIGHT),
        required=True,
        format_func=lambda one: say(f"appearance.{one}"),
        key=_CHOSEN,
        width="stretch",
    )


def keep() -> None:
    """Hands what is preferred to the browser; to be called in every run, once, after what chooses it."""
    wanted = st.session_state[_CHOSEN]
    cookies = {COOKIE: wanted, LANGUAGE_COOKIE: language(), _HIDE_COOKIE: "1" if blind_read.hides() else "0"}
    _component()(key="medcam_preferences", data={"cookies": cookies, "reload": wanted != _shown()})


def _shown() -> str:
    """How the page looked when it was loaded."""
    return LIGHT if st.context.cookies.get(COOKIE) == LIGHT else DARK
