"""How a heatmap can mislead: the page of the documentation, from this computer and not from the network."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import streamlit as st

from words import language

_FOLDER = Path(__file__).resolve().parents[1]
_PLACES = (_FOLDER, _FOLDER.parent / "docs" / "explanation")  # inside an installed package, and in a checkout
_NAMES = {"ko": "how-heatmaps-mislead.ko.md", "en": "how-heatmaps-mislead.md"}
_LINK = re.compile(r"\[([^\]]+)\]\([^)]+\)")


def main() -> None:
    """Draws the page."""
    _, middle, _ = st.columns((1, 4, 1))
    with middle:
        st.markdown(page_text(language()))


@cache
def page_text(spoken: str) -> str:
    """The page in a language; links are left out, since they lead to pages that are not here."""
    name = _NAMES.get(spoken, _NAMES["en"])
    path = next(folder / name for folder in _PLACES if (folder / name).is_file())
    return _LINK.sub(r"\1", path.read_text(encoding="utf-8"))


main()
