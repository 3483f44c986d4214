"""Handing files in, waiting for them, and what can be done with them then."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from pathlib import Path

import streamlit as st

from components.markup import markdown_text, table
from medcam.core.errors import MedcamError
from medcam.core.reader import Reader
from medcam.service.audit.events import note
from medcam.service.studies.opened import OpenedStore
from medcam.service.submissions.box import SubmissionBox
from medcam.service.submissions.keep_in_store import keep_in_store
from medcam.service.submissions.models import models_to_choose
from medcam.service.submissions.status import SubmissionStatus
from medcam.service.submissions.submission import Submission
from words import say

_NAMES, _ROUND = "own-file-names", "own-round"
_REVIEW = Path(__file__).parents[1] / "pages" / "review.py"


def hand_in(opened: OpenedStore, box: SubmissionBox, reader: Reader) -> None:
    """A drop zone, the choice of a model, and the button that hands the files in."""
    st.caption(say("explore.promise", hours=f"{box.limits.hours:.0f}"))
    # Another key empties the drop zone: what was handed in must not lie in the server's memory as well.
    turn = int(st.session_state.get(_ROUND, 0))
    files = st.file_uploader(
        say("explore.drop"), accept_multiple_files=True, key=f"own-files-{turn}", label_visibility="collapsed"
    )
    model, button = st.columns((3, 2), vertical_alignment="bottom")
    with model:
        chosen = st.selectbox(say("explore.model"), models_to_choose(), key="own-model")
    with button:
        pressed = st.button(say("explore.explain"), type="primary", disabled=not files, width="stretch")
    if not (pressed and files):
        return
    try:
        submission = box.take(reader.label, [(file.name, file) for file in files], model=chosen)
    except MedcamError as error:
        st.error(markdown_text(str(error)))
        return
    body = {"submission": submission.id, "model": chosen, "files": submission.files, "bytes": submission.bytes}
    note(opened, "submission-taken", reader.label, body)
    st.session_state.setdefault(_NAMES, {})[submission.id] = [file.name for file in files]
    st.session_state[_ROUND] = turn + 1
    st.query_params["submission"] = submission.id
    st.rerun()


def choose(mine: Sequence[Submission], label: str) -> None:
    """The reader's own submissions, to open one of them."""
    if not mine:
        return
    st.caption(label)
    for submission in mine:
        when = datetime.fromtimestamp(submission.created, UTC).strftime("%Y-%m-%d %H:%M")
        words = say("explore.one", when=when, files=submission.files, model=submission.model)
        if st.button(words, key=f"open-{submission.id}", type="tertiary", icon=":material/folder_open:"):
            st.query_params["submission"] = submission.id
            st.rerun()


@st.fragment(run_every=1.0)
def wait(box: SubmissionBox, submission: Submission) -> None:
    """How far the work is, looked at every second until it has ended."""
    status = box.status(submission)
    if status.ended:
        st.rerun()
    if status.waiting:
        st.progress(0.0, text=say("explore.error-again" if status.error_code else "explore.waiting"))
    else:
        share = status.done / status.total if status.total else 0.0
        st.progress(share, text=say("explore.working", done=status.done, total=status.total or submission.files))


def tell(status: SubmissionStatus) -> None:
    """Why the submission failed, where it did."""
    if status.failed:
        st.error(markdown_text(f"[{status.error_code}] {status.error_message}"))


def actions(
    opened: OpenedStore, box: SubmissionBox, submission: Submission, reader: Reader, *, has_films: bool
) -> None:
    """Keeping the films in the store, letting go of them, and what became of the other files; one row."""
    left, keeping, letting, closing = st.columns(4)
    with left:
        _passed_over(box.status(submission))
    with keeping:
        # Only who may read everything: others would not find again what they kept.
        may = has_films and reader.everything
        keep = st.button(say("explore.keep"), disabled=not may, help=say("explore.keep-help"), width="stretch")
    with letting:
        if st.button(say("explore.discard"), width="stretch"):
            box.discard(submission)
            note(opened, "submission-discarded", reader.label, {"submission": submission.id})
            _close()
    with closing:
        if st.button(say("explore.close"), width="stretch"):
            _close()
    if keep:
        _keep(opened, box, submission)


def _passed_over(status: SubmissionStatus) -> None:
    """The files that have no explanation, and why."""
    if not status.passed_over:
        return
    head = tuple(say(f"explore.table.{name}") for name in ("file", "code", "reason", "next"))
    rows = [
        (escape(_name(one.source)), escape(one.code), escape(one.message), escape(one.next_step))
        for one in status.passed_over
    ]
    refused = sum(one.refused for one in status.passed_over)
    words = say("explore.passed-over", refused=refused, skipped=len(rows) - refused)
    icon = ":material/report:" if refused else ":material/info:"
    with st.popover(words, icon=icon, width="stretch"):
        st.html(table(words, head, rows))


def _keep(opened: OpenedStore, box: SubmissionBox, submission: Submission) -> None:
    try:
        studies = keep_in_store(opened, box, submission)
    except MedcamError as error:
        st.error(markdown_text(str(error)))
        return
    st.success(say("explore.kept", studies=len(studies)))
    for study in studies:
        st.page_link(_REVIEW, label=say("explore.review"), query_params={"study": study})


def _close() -> None:
    del st.query_params["submission"]
    st.rerun()


def _name(source: str) -> str:
    """A file by the name that it was handed in under, as long as this browser remembers it."""
    number, slash, member = source.partition("/")
    names = st.session_state.get(_NAMES, {}).get(st.query_params.get("submission", ""), [])
    digits = number.partition(".")[0]
    known = names[int(digits) - 1] if digits.isdigit() and 0 < int(digits) <= len(names) else number
    return f"{known}{slash}{member}"
