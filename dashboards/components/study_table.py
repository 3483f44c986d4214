"""Studies in a table from which one is opened."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import streamlit as st

from medcam.core.worklist import WorklistLine
from words import finding_name, say

_HOUR, _DAY = 3600.0, 86400.0


def study_table(lines: Sequence[WorklistLine], *, blind: bool, key: str, opens: Callable[[str], None]) -> None:
    """Draws studies.

    Args:
        lines: In the order in which they are shown.
        blind: Whether what models say is left out.
        key: Of the table.
        opens: Called with the id of the study that is chosen, before the page is drawn anew.
    """
    studies = [line.study.id for line in lines]

    def choose() -> None:
        rows = st.session_state[key].selection.rows
        if rows:
            # One of those that the reader saw: the order may be another by now.
            opens(studies[rows[0]])

    st.dataframe(
        _columns(lines, blind=blind),
        hide_index=True,
        on_select=choose,
        selection_mode="single-row",
        key=key,
        height="content",
        row_height=34,
        column_config={
            say("worklist.column.probability"): st.column_config.ProgressColumn(
                format="%.2f", min_value=0.0, max_value=1.0, width="small"
            ),
            say("worklist.column.films"): st.column_config.NumberColumn(width="small"),
            say("worklist.column.readers"): st.column_config.NumberColumn(width="small"),
        },
    )


def _columns(lines: Sequence[WorklistLine], *, blind: bool) -> dict[str, list[object]]:
    now = time.time()
    model: dict[str, list[object]] = {
        say("worklist.column.finding"): [_finding(line) for line in lines],
        say("worklist.column.probability"): [line.probability for line in lines],
    }
    known: dict[str, list[object]] = {
        say("worklist.column.state"): [say(f"worklist.state.{line.state}") for line in lines],
        say("worklist.column.patient"): [_person(line.study.patient_name) for line in lines],
        say("worklist.column.id"): [line.study.patient_id for line in lines],
        say("worklist.column.accession"): [line.study.accession_number for line in lines],
        say("worklist.column.date"): [date_words(line.study.study_date) for line in lines],
        say("worklist.column.description"): [line.study.description for line in lines],
        say("worklist.column.waiting"): [_waiting(line, now) for line in lines],
        say("worklist.column.films"): [line.films for line in lines],
        say("worklist.column.readers"): [line.readers_done for line in lines],
    }
    return known if blind else {**model, **known}


def _finding(line: WorklistLine) -> str:
    if line.finding:
        return finding_name(line.finding)
    return say("worklist.withheld") if line.flagged else say("worklist.no-finding")


def _person(name: str) -> str:
    """A Person Name for the eye: family name, given names; the alphabetic form where there are several."""
    parts = [part for part in name.split("=")[0].split("^")[:2] if part]
    return ", ".join(parts)


def date_words(date: str) -> str:
    """YYYYMMDD as YYYY-MM-DD; other texts as they are."""
    return f"{date[:4]}-{date[4:6]}-{date[6:]}" if len(date) == 8 and date.isdigit() else date


def _waiting(line: WorklistLine, now: float) -> str:
    waited = max(0.0, now - line.received)
    if waited < _HOUR:
        words = say("worklist.minutes", count=f"{waited / 60:.0f}")
    elif waited < 2 * _DAY:
        words = say("worklist.hours", count=f"{waited / _HOUR:.0f}")
    else:
        words = say("worklist.days", count=f"{waited / _DAY:.0f}")
    return f"{words} · {say('worklist.overdue')}" if line.overdue else words
