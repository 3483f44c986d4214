"""How a heatmap can mislead, and what a map can tell: pages of the documentation, from this computer alone."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import streamlit as st

from words import language

_FOLDER = Path(__file__).resolve().parents[1]
_PLACES = (_FOLDER, _FOLDER.parent / "docs" / "explanation")  # inside an installed package, and in a checkout
_NAMES = {"ko": "how-heatmaps-mislead.ko.md", "en": "how-heatmaps-mislead.md"}
_LIMITS = "what-a-map-can-tell.md"
_LINK = re.compile(r"\[([^\]]+)\]\([^)]+\)")


def main() -> None:
    """Draws the page."""
    _, middle, _ = st.columns((1, 4, 1))
    with middle:
        st.markdown(page_text(_NAMES.get(language(), _NAMES["en"])))
        title, _, limits = page_text(_LIMITS).partition("\n")
        with st.expander(title.removeprefix("# ")):
            st.markdown(limits)


@cache
def page_text(name: str) -> str:
    """A page by its file; links are left out, since they lead to pages that are not here."""
    path = next(folder / name for folder in _PLACES if (folder / name).is_file())
    return _LINK.sub(r"\1", path.read_text(encoding="utf-8"))


main()
