"""The review pages: which ones there are, and what all of them have in common.

They read the store and write answers to it; no model runs in this process.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from access import NotSignedInError
from access.activity import watch_activity
from components import notices
from components.markup import markdown_text
from desk import opened_desk
from medcam.core.errors import MedcamError
from medcam.core.reader import Role
from preferences import choose_appearance, keep, recall
from session import current_desk_reader, follow
from turn import Turn, in_turn
from words import choose_language, say

PAGES = Path(__file__).with_name("pages")
MARK = Path(__file__).with_name("mark.png")
_UNLISTED = "misleading"  # reached by the viewer's link, and no part of the day's work
_QUICK = ("worklist", "review")  # the day's work: drawn in less time than anybody minds waiting for
_FOR = {
    "worklist": ("worklist", ":material/list_alt:", (Role.READER, Role.AUDITOR)),
    "review": ("review", ":material/radiology:", (Role.READER, Role.AUDITOR)),
    "explore": ("explore", ":material/upload_file:", (Role.READER, Role.AUDITOR)),
    "compare": ("compare", ":material/compare:", (Role.READER, Role.AUDITOR)),
    "agreement": ("agreement", ":material/balance:", tuple(Role)),
    "models": ("models", ":material/neurology:", tuple(Role)),
    "audit": ("audit", ":material/history:", (Role.AUDITOR, Role.ADMIN)),
}


def main() -> None:
    """Draws the page that was asked for, as the store is at one moment: who reads it, what they may see, and that."""
    # Its own mark: the browser would fetch that of an icon's name from the network.
    st.set_page_config(page_title="medcam", page_icon=MARK, layout="wide", initial_sidebar_state="collapsed")
    st.html(Path(__file__).with_name("style.css"))
    try:
        opened = opened_desk()
    except MedcamError as error:
        st.error(markdown_text(str(error)), icon=":material/database_off:")
        return
    with in_turn() as turn, opened.store.moment():
        _draw(turn)


def _draw(turn: Turn) -> None:
    try:
        reader = current_desk_reader()
    except NotSignedInError as error:
        st.error(markdown_text(str(error)))
        return
    except MedcamError as error:
        st.error(markdown_text(str(error)), icon=":material/database_off:")
        return
    watch_activity()
    pages = {
        name: st.Page(PAGES / f"{name}.py", title=say(f"page.{title}"), icon=icon, default=name == "worklist")
        for name, (title, icon, roles) in _FOR.items()
        if reader.has(*roles)
    }
    pages[_UNLISTED] = st.Page(PAGES / f"{_UNLISTED}.py", title=say(f"page.{_UNLISTED}"), visibility="hidden")
    recall()
    chosen = st.navigation(list(pages.values()), position="top")
    follow()
    notices.research_use()
    with st.sidebar:
        st.caption(f"{markdown_text(reader.name)} · {', '.join(sorted(reader.roles))}")
        choose_language()
        choose_appearance()
        st.page_link(pages[_UNLISTED], label=say(f"page.{_UNLISTED}"), icon=":material/menu_book:")
        st.link_button(say("sign-out"), "/sign-out")
    if chosen not in [pages.get(name) for name in _QUICK]:
        turn.give()
    try:
        chosen.run()
    except MedcamError as error:
        st.error(markdown_text(str(error)))
    keep()


if __name__ == "__main__":
    main()
