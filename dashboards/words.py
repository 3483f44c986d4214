"""The words of the pages, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from catalogue.english import ENGLISH
from catalogue.korean import KOREAN
from catalogue.warnings_korean import korean_warning

LANGUAGES: Mapping[str, Mapping[str, str]] = {"en": ENGLISH, "ko": KOREAN}
_NAMES = {"en": "English", "ko": "한국어"}
_CHOSEN = "language"
LANGUAGE_COOKIE = "medcam_language"
"""Where the browser keeps what was chosen."""


def language() -> str:
    """The reader's language: what they chose, now or before, else the browser's where it is one of ours."""
    chosen = st.session_state.get(_CHOSEN) or st.context.cookies.get(LANGUAGE_COOKIE)
    if chosen in LANGUAGES:
        return str(chosen)
    locale = (st.context.locale or "en").split("-")[0].lower()
    return locale if locale in LANGUAGES else "en"


def say(key: str, **values: object) -> str:
    """The words of a key in the reader's language, with values in their places."""
    words = LANGUAGES[language()].get(key, ENGLISH[key])
    return words.format(**values) if values else words


def finding_name(name: str) -> str:
    """A finding's or a zone's name for the eye; as the model has it where the catalogue has no word."""
    plain = name.strip().lower().replace("_", "-").replace(" ", "-")
    known = LANGUAGES[language()].get(f"term.{plain}")
    if known is not None:
        return known
    words = name.replace("-", " ").replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def film_warning(warning: str) -> str:
    """A warning of a record, which holds it in English; in English where the catalogue has no words for it."""
    words = (korean_warning(warning) if language() == "ko" else None) or warning
    return words[:1].upper() + words[1:].rstrip(".")


def answer_word(present: bool | None) -> str:
    """What a model says of a finding, in a word: present, absent, or withheld (None)."""
    return say("answer.withheld" if present is None else "answer.present" if present else "answer.absent")


def choose_language() -> None:
    """Lets the reader choose a language."""
    if _CHOSEN not in st.session_state:
        st.session_state[_CHOSEN] = language()
    st.selectbox(say("language"), list(LANGUAGES), format_func=_NAMES.__getitem__, key=_CHOSEN)
