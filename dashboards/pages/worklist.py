"""The worklist: what is to be read, the most urgent first, none waiting for ever."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import streamlit as st

from components import blind_read
from components.markup import markdown_text
from components.study_table import study_table
from desk import opened_desk
from medcam.core.errors import MedcamError
from medcam.core.reader import Reader
from medcam.core.worklist import MOST_COUNTED, Order, Progress, ReadingState, WorklistPage, WorklistQuery
from medcam.service.studies.opened import OpenedStore
from session import current_desk_reader, first_to_do, go, set_queue
from words import finding_name, say

REVIEW = Path(__file__).with_name("review.py")
PAGE_SIZE = 25
_COMMAND = "medcam annotate SOURCE --out DIR --store {store}"
DEFAULT_WAIT_HOURS = 24
_PAGE = "worklist-page"


def main() -> None:
    """Draws the page."""
    opened, reader = opened_desk(), current_desk_reader()
    progress = opened.worklist.progress(reader)
    if not progress.studies:
        _nothing(opened, reader)
        return
    query = _query(opened)
    page = opened.worklist.page(query, reader, time.time())
    set_queue(query)
    _head(opened, reader, page, query, progress)
    if not page.lines:
        st.info(say("worklist.empty"))
        return
    study_table(page.lines, blind=blind_read.hides(), key=f"studies-{query.page}", opens=_open)


def _first(opened: OpenedStore, reader: Reader, page: WorklistPage, query: WorklistQuery) -> str | None:
    """The first study that is not done; None where there is none."""
    first = next((line.study.id for line in page.lines if line.state is not ReadingState.DONE), None)
    if first is None and query.state is not ReadingState.DONE:
        first = first_to_do(opened, reader, query)  # all of this page is done, and there may be others
    return first


def _open(study_id: str) -> None:
    go(REVIEW, study=study_id)


def _open_first(opened: OpenedStore, reader: Reader, query: WorklistQuery) -> None:
    """Opens the first study that is not done as the worklist is now, which may be another than when it was drawn."""
    query = replace(query, text=st.session_state.get("search", query.text))  # typed, and pressed at once
    try:
        first = _first(opened, reader, opened.worklist.page(query, reader, time.time()), query)
    except MedcamError as error:
        st.toast(markdown_text(str(error)), icon=":material/error:")
        return
    set_queue(query)
    if first is not None:
        _open(first)


def _query(opened: OpenedStore) -> WorklistQuery:
    """The filters, and the query that they make. They stand in the address, so that a reload or a link keeps them."""
    text, state, finding, order, wait = st.columns((4, 2, 3, 3, 2), vertical_alignment="bottom")
    with text:
        wanted = st.text_input(
            say("worklist.search"),
            placeholder=say("worklist.search-hint"),
            key="search",
            on_change=_first_page,
            persist_state="session",
        )
    with state:
        how_far = _choice("state", [str(one) for one in ReadingState])
    with finding:
        names = ["", *opened.worklist.findings()]
        named = st.selectbox(
            say("worklist.finding"),
            names,
            format_func=lambda name: finding_name(name) if name else say("worklist.any-finding"),
            key="leading",
            on_change=_first_page,
            persist_state="session",
        )
    with order:
        ordered = _choice("order", [str(one) for one in Order])
    with wait:
        hours = st.number_input(
            say("worklist.longest-wait"),
            0,
            10_000,
            DEFAULT_WAIT_HOURS,
            help=say("worklist.longest-wait-help"),
            key="wait",
            on_change=_first_page,
            persist_state="session",
        )
    return WorklistQuery(
        text=wanted,
        state=ReadingState(how_far),
        finding=named,
        order=Order(ordered),
        longest_wait=3600.0 * hours,
        page=int(st.session_state.get(_PAGE, 1)),
        size=PAGE_SIZE,
    )


def _choice(name: str, values: list[str]) -> str:
    return st.selectbox(
        say(f"worklist.{name}"),
        values,
        format_func=lambda one: say(f"worklist.{name}.{one}"),
        key=name,
        on_change=_first_page,
        persist_state="session",
        bind="query-params",
    )


def _first_page() -> None:
    st.session_state[_PAGE] = 1


def _head(opened: OpenedStore, reader: Reader, page: WorklistPage, query: WorklistQuery, progress: Progress) -> None:
    """How far the reader is, the first study that is not done, and the pages."""
    studies, begun, done = progress.studies, progress.begun, progress.done
    left, middle, right = st.columns((5, 4, 3), vertical_alignment="center")
    with left:
        st.progress(done / studies, text=say("worklist.progress", done=done, studies=studies, begun=begun))
    with middle:
        st.button(
            say("worklist.open-next"),
            shortcut="O",
            type="primary",
            disabled=_first(opened, reader, page, query) is None,
            on_click=_open_first,
            args=(opened, reader, query),
        )
    with right:
        pages = max(1, -(-page.total // query.size))
        if pages > 1:
            st.pagination(pages, default=min(query.page, pages), key="worklist-turn", on_change=_turn)
        many = "worklist.count-many" if page.total == MOST_COUNTED else "worklist.count"
        st.caption(say(many, total=page.total))
        blind_read.toggle()


def _turn() -> None:
    st.session_state[_PAGE] = st.session_state["worklist-turn"]


def _nothing(opened: OpenedStore, reader: Reader) -> None:
    if reader.everything or opened.films.counts()["studies"] == 0:
        st.info(say("worklist.nothing"))
        st.code(_COMMAND.format(store=opened.address.label), language="sh")
    else:
        st.info(say("worklist.none-assigned"))


main()
