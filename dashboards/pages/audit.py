"""The audit trail: who did what, and whether the record is whole."""

from __future__ import annotations

import shlex
from pathlib import Path

import streamlit as st

from components.spreadsheet import csv_bytes
from desk import opened_desk
from medcam.core.reader import Role
from medcam.service.audit.events import AuditEvent, events, note
from medcam.service.audit.key import key_path, read_verifier
from medcam.service.audit.verify import verify_trail
from medcam.service.audit.verify_records import verify_records
from medcam.service.studies.opened import OpenedStore
from session import current_desk_reader
from words import say

MOST_FAULTS = 20
PAGE_SIZE = 200
_BEFORE = "audit-before"
WORKLIST = Path(__file__).with_name("worklist.py")


def main() -> None:
    """Draws the page, for auditors and administrators alone."""
    opened, reader = opened_desk(), current_desk_reader()
    if not reader.has(Role.AUDITOR, Role.ADMIN):
        st.error(say("review.refused"))
        return
    _verify(opened)
    found = events(opened, **_filters(), before=st.session_state.get(_BEFORE), limit=PAGE_SIZE)
    if not found:
        st.info(say("audit.empty"))
    else:
        st.dataframe(_columns(found), hide_index=True, height=560, row_height=30)
    _turn(found)
    st.download_button(
        say("audit.export"),
        data=lambda: _export(opened, found, reader.label),
        file_name="medcam-audit.csv",
        mime="text/csv",
        disabled=not found,
    )
    with st.expander(say("audit.replay")):
        st.write(say("audit.replay-help"))
        st.code(shlex.join(["medcam", "audit", "replay", "--all", "--store", opened.address.label]), language="sh")


def _verify(opened: OpenedStore) -> None:
    if not st.button(say("audit.verify"), help=say("audit.verify-help")):
        return
    with st.spinner(say("audit.verify")):
        found = verify_trail(opened.store, read_verifier(key_path()))
    if found.fault is None:
        st.success(say("audit.whole", events=found.events))
        _verify_records(opened)
    else:
        st.error(say("audit.broken", number=found.number, fault=found.fault.words))


def _verify_records(opened: OpenedStore) -> None:
    """Whether explanations and answers are what the trail, itself whole, says that they were."""
    found = verify_records(opened.store)
    if found.intact:
        st.success(say("audit.records", explanations=found.explanations, reviews=found.reviews))
        return
    st.error(say("audit.records-broken", count=len(found.faults)))
    told = [f"{one.kind} {one.id} ({one.event}): {one.fault.words}" for one in found.faults[:MOST_FAULTS]]
    st.code("\n".join(told), language=None)


def _filters() -> dict[str, str]:
    columns = st.columns(3)
    wanted = {}
    for column, name in zip(columns, ("kind", "reader", "study"), strict=True):
        with column:
            text = st.text_input(say(f"audit.{name}"), key=f"audit-{name}", on_change=_newest)
            wanted[name] = (text or "").strip()
    return wanted


def _turn(shown: list[AuditEvent]) -> None:
    with st.container(horizontal=True):
        st.button(say("audit.newest"), on_click=_newest, disabled=_BEFORE not in st.session_state)
        last = shown[-1].number if shown else 0
        st.button(say("audit.older"), on_click=_older, args=(last,), disabled=len(shown) < PAGE_SIZE)


def _newest() -> None:
    st.session_state.pop(_BEFORE, None)


def _older(number: int) -> None:
    st.session_state[_BEFORE] = number


def _columns(shown: list[AuditEvent]) -> dict[str, list[object]]:
    names = ("number", "time", "kind", "reader", "study", "details")
    cells: dict[str, list[object]] = {
        "number": [event.number for event in shown],
        "time": [event.time.replace("T", " ")[:19] for event in shown],
        "kind": [event.kind for event in shown],
        "reader": [event.reader for event in shown],
        "study": [event.study for event in shown],
        "details": [event.body for event in shown],
    }
    return {say(f"audit.column.{name}"): cells[name] for name in names}


def _export(opened: OpenedStore, shown: list[AuditEvent], reader: str) -> bytes:
    """The events as CSV; that they were exported is an event too."""
    note(opened, "trail-exported", reader, {"events": len(shown)})
    names = ("number", "time", "kind", "reader", "study", "body", "previous", "digest", "signature")
    return csv_bytes(names, ([getattr(event, name) for name in names] for event in shown))


main()
