"""How the code of a page learns who reads it."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from .identity import Identity, NotSignedInError, Reader
from .keeper import Doorkeeper
from .sessions import Session

CONNECTION_HEADER = "x-medcam-connection"
"""Header that the gate puts on a page's websocket, with the key of `OPEN`. What a client sends by that name is taken
away, and a client that gets past the gate would still have to guess the key."""


@dataclass(frozen=True, slots=True)
class OpenPage:
    """A page's websocket that was let in."""

    keeper: Doorkeeper
    session: Session


OPEN: dict[str, OpenPage] = {}
"""Open pages by their key. For the whole process, as Streamlit's runtime is: it calls pages without arguments, and
headers are all that it hands them of their websocket."""


def current_reader() -> Reader:
    """Who reads the page that is being drawn, asked of `Access.admit` each time.

    Returns:
        The reader, admitted at this moment.

    Raises:
        NotSignedInError: The page was not opened through the gate, its session is over, or its reader is no longer
            admitted. A page that does not catch it shows nothing.
    """
    page = _current_page()
    reader = page.keeper.access.admit(page.session.identity)
    if reader is None:
        raise NotSignedInError("the reader of this page has no access any more")
    return reader


def current_identity() -> Identity:
    """What the sign-in says about the reader of the page that is being drawn.

    Raises:
        NotSignedInError: See `current_reader`.
    """
    return _current_page().session.identity


def _current_page() -> OpenPage:
    page = OPEN.get(st.context.headers.get(CONNECTION_HEADER, ""))
    if page is None or page.keeper.table.why_over(page.session):
        raise NotSignedInError("nobody is signed in to this page")
    return page
