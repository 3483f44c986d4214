"""The part of a page that keeps its reader's session alive while they work, and clears the screen when it ends.

Much of what a reader does, such as moving over a film, asks nothing of the server. Without this part the server would
take them for away; and when a session has ended, the last film would stay on the screen.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer


@cache
def _component() -> ComponentRenderer:
    script = Path(__file__).with_name("activity.js").read_text(encoding="utf-8")
    return st.components.v2.component("medcam_activity", js=script)


def watch_activity() -> None:
    """Adds the part to a page; it shows nothing. To be called in every run, once."""
    _component()(key="medcam_activity")
