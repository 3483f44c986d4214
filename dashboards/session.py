"""Who reads the page that is being drawn, and what is remembered while they go from page to page."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import streamlit as st

from access import current_reader
from desk import DeskReader
from medcam.core.reader import Reader
from medcam.core.worklist import ReadingState, WorklistQuery
from medcam.service.studies.opened import OpenedStore

_QUEUE, _STUDY, _SINCE, _LOOK, _GOAL = "queue", "open-study", "open-since", "last-look", "goes-to"


def current_desk_reader() -> Reader:
    """The reader of the page that is being drawn, as the store has them now.

    Raises:
        NotSignedInError: Nobody is signed in.
    """
    reader = current_reader()
    assert isinstance(reader, DeskReader)
    return reader.reader


def go(page: Path, **query: str) -> None:
    """Has another page drawn in place of this one; for callbacks, so that the page that is left is not drawn again.

    Args:
        page: Its script.
        **query: What its address says.
    """
    st.session_state[_GOAL] = (page, query)


def follow() -> None:
    """Goes where a callback wanted to `go`; to be called in every run, once the pages are known."""
    goal = st.session_state.pop(_GOAL, None)
    if goal is not None:
        page, query = goal
        st.switch_page(page, query_params=query)


def set_queue(query: WorklistQuery) -> None:
    """Remembers which worklist the reader works through."""
    st.session_state[_QUEUE] = query


def open_study(study_id: str) -> None:
    """Remembers which study is open, and since when."""
    if st.session_state.get(_STUDY) != study_id:
        st.session_state[_STUDY], st.session_state[_SINCE] = study_id, time.time()


def is_first_look(*shown: str, place: str = "film") -> bool:
    """Whether a place of the page shows something else than it did in its last run.

    Args:
        *shown: Ids of a film and of the explanations that are shown of it.
        place: Which place.
    """
    new = st.session_state.get(f"{_LOOK}-{place}") != shown
    st.session_state[f"{_LOOK}-{place}"] = shown
    return new


def forget_look(place: str) -> None:
    """Forgets what a place of the page showed: when it shows it again, that is another look."""
    st.session_state.pop(f"{_LOOK}-{place}", None)


def open_study_id() -> str:
    """The study that was opened last; empty where none was."""
    return str(st.session_state.get(_STUDY, ""))


def seconds_open() -> float:
    """How long the study has been open."""
    return max(0.0, time.time() - float(st.session_state.get(_SINCE, time.time())))


def next_study(opened: OpenedStore, reader: Reader, current: str) -> str | None:
    """The study after this one in the reader's worklist that they are not done with; None where there is none.

    Args:
        opened: The store.
        reader: Who reads.
        current: The study that is open.
    """
    query = st.session_state.get(_QUEUE) or WorklistQuery(longest_wait=86400.0)
    return first_to_do(opened, reader, query, but=current)


def first_to_do(opened: OpenedStore, reader: Reader, query: WorklistQuery, but: str = "") -> str | None:
    """The first study of a worklist, on whatever page, that its reader is not done with; None where there is none.

    Studies that they have not opened come before those that they have begun.

    Args:
        opened: The store.
        reader: Who reads.
        query: The worklist; how far it asks the reader to be does not matter.
        but: A study that is not meant.
    """
    for state in (ReadingState.UNREAD, ReadingState.BEGUN):
        page = opened.worklist.page(replace(query, state=state, page=1, size=2), reader, time.time())
        found = next((line.study.id for line in page.lines if line.study.id != but), None)
        if found is not None:
            return found
    return None
