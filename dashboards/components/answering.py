"""What the reader answers to each finding: one key or one press, kept at once."""

from __future__ import annotations

from dataclasses import asdict
from html import escape
from typing import Any

import streamlit as st

from components.markup import badge, probability_bar, table
from medcam.core.errors import MedcamError
from medcam.core.finding import Finding
from medcam.core.reader import Reader
from medcam.core.review import WITH_REGION, Answer, MarkedRegion, MarkKind, Phase, Review
from medcam.core.urgency import margin
from medcam.service.studies.opened import OpenedStore
from medcam.service.studies.shown import ShownFilm, explanation_of
from session import seconds_open
from viewer import ViewerRegion
from words import answer_word, finding_name, say

_KEYS = {
    Answer.AGREE: "A",
    Answer.DISAGREE: "D",
    Answer.WRONG_REGION: "G",
    Answer.MISSED: "M",
    Answer.UNCERTAIN: "H",
}
_PENDING, _COMMENT, _CLEAR = "pending-answer", "comment", "clear-comment"


def draw(opened: OpenedStore, reader: Reader, film: ShownFilm) -> str:
    """Draws findings, answers and their buttons; returns the name of the finding that is answered for."""
    if st.session_state.pop(_CLEAR, False):
        st.session_state[_COMMENT] = ""
    findings = ordered(film)
    mine = _latest(opened, reader, film)
    current = _current(findings, film)
    _table(film, findings, current, mine)
    _steps(findings, film)
    pending = st.session_state.get(_PENDING)
    st.caption(f"{say('review.answer-for')}: **{finding_name(current)}**")
    present = {finding.name: finding.present for finding in findings}[current]
    columns = st.columns(2)
    for place, answer in enumerate(_KEYS):
        with columns[place % 2]:
            st.button(
                say(f"review.{answer}"),
                key=f"answer-{answer}",
                shortcut=_KEYS[answer],
                width="stretch",
                type="primary" if mine.get(current) is answer else "secondary",
                disabled=(answer is Answer.MISSED and present is True)
                or (answer is Answer.WRONG_REGION and present is False),
                on_click=_answer,
                args=(opened, reader, film, current, answer),
            )
    if pending is not None and pending[:2] == (film.explanations[0].id, current):
        st.info(say("review.needs-region"), icon=":material/draw:")
        st.button(say("review.cancel"), on_click=lambda: st.session_state.pop(_PENDING, None))
    st.text_area(say("review.comment"), key=_COMMENT, height=68, max_chars=10_000)
    return current


def look(film: ShownFilm, note: str | None = None) -> str:
    """Draws the findings for somebody who looks and does not answer; returns the name of the one that is shown.

    Args:
        film: The film.
        note: What is said of it; None for the words on roles.
    """
    findings = ordered(film)
    current = _current(findings, film)
    _table(film, findings, current, {})
    _steps(findings, film)
    st.caption(say("review.role") if note is None else note)
    return current


def ordered(film: ShownFilm) -> list[Finding]:
    """The findings of the explanation that is shown: present ones first, the furthest over its threshold at the top."""
    findings = explanation_of(film.explanations[0]).findings
    return sorted(findings, key=lambda found: (not found.present, -margin(found)))


def forget_comment() -> None:
    """Empties the field for a comment, which belongs to the study that is left; for callbacks."""
    st.session_state[_CLEAR] = True


def take_region(opened: OpenedStore, reader: Reader, film: ShownFilm, region: ViewerRegion) -> None:
    """Keeps the answer that waited for a region; a region that no answer waits for corrects the model's."""
    finding = region.finding
    found = {one.name: one for one in ordered(film)}[finding]
    answer = Answer.WRONG_REGION if found.present else Answer.MISSED
    pending = st.session_state.pop(_PENDING, None)
    if pending is not None and pending[0] == film.explanations[0].id:
        finding, answer = pending[1], pending[2]
    marked = MarkedRegion(MarkKind(region.kind.value), region.points)
    _keep(opened, reader, film, finding, answer, marked, _plain(asdict(region.display)))
    st.rerun()


def _answer(opened: OpenedStore, reader: Reader, film: ShownFilm, finding: str, answer: Answer) -> None:
    if answer in WITH_REGION:
        st.session_state[_PENDING] = (film.explanations[0].id, finding, answer)
        return
    st.session_state.pop(_PENDING, None)
    _keep(opened, reader, film, finding, answer, None, {"finding": finding})


def _keep(
    opened: OpenedStore,
    reader: Reader,
    film: ShownFilm,
    finding: str,
    answer: Answer,
    region: MarkedRegion | None,
    display: dict[str, Any],
) -> None:
    found = {one.name: one for one in ordered(film)}[finding]
    review = Review(
        study=film.film.study_id,
        radiograph=film.film.id,
        explanation=film.explanations[0].id,
        reader=reader.id,
        phase=Phase.AIDED,
        finding=finding,
        answer=answer,
        region=region,
        comment=str(st.session_state.get(_COMMENT, "")).strip(),
        display={**display, "threshold_of_finding": found.threshold, "probability": found.probability},
        seconds=round(seconds_open(), 1),
    )
    try:
        opened.reviews.add(review, reader)
    except MedcamError as error:
        st.toast(str(error), icon=":material/error:")
        return
    # A region comes after the field was drawn, when its value can no longer be set.
    st.session_state[_CLEAR] = True
    st.toast(say("review.kept", finding=finding_name(finding), answer=say(f"review.{answer}")))


def _latest(opened: OpenedStore, reader: Reader, film: ShownFilm) -> dict[str, Answer]:
    """The reader's last answer to each finding of the explanation that is shown."""
    shown = film.explanations[0].id
    kept = opened.reviews.of_study(film.film.study_id, reader)
    return {one.review.finding: one.review.answer for one in kept if one.review.explanation == shown}


def _current(findings: list[Finding], film: ShownFilm) -> str:
    names = [finding.name for finding in findings]
    wanted = st.query_params.get("finding", "")
    key = f"finding-{film.film.id}"
    if st.session_state.get(key) not in names:
        st.session_state[key] = wanted if wanted in names else names[0]
    return str(st.session_state[key])


def _steps(findings: list[Finding], film: ShownFilm) -> None:
    names = [finding.name for finding in findings]
    key = f"finding-{film.film.id}"
    pills = f"{key}-{film.explanations[0].id}-pills"
    st.pills(
        say("review.answer-for"),
        names,
        format_func=finding_name,
        key=pills,
        default=None,
        label_visibility="collapsed",
        wrap=True,
        on_change=_take_pill,
        args=(key, pills),
    )
    before, after = st.columns(2)
    with before:
        st.button(
            say("review.previous-finding"), shortcut="P", width="stretch", on_click=_step, args=(key, pills, names, -1)
        )
    with after:
        st.button(
            say("review.next-finding"), shortcut="Space", width="stretch", on_click=_step, args=(key, pills, names, 1)
        )


def _take_pill(key: str, pills: str) -> None:
    chosen = st.session_state[pills]
    if chosen is not None:
        st.session_state[key] = chosen
        st.query_params["finding"] = chosen


def _step(key: str, pills: str, names: list[str], step: int) -> None:
    place = names.index(st.session_state[key]) + step
    st.session_state[key] = names[place % len(names)]
    st.session_state[pills] = None
    st.query_params["finding"] = st.session_state[key]


def _table(film: ShownFilm, findings: list[Finding], current: str, mine: dict[str, Answer]) -> None:
    shown = film.explanations[0]
    said = " · ".join((f"{shown.model} {shown.version}", shown.method))
    finding, probability, answer, own = (
        say(f"review.table.{name}") for name in ("finding", "probability", "answer", "mine")
    )
    head = (finding, probability, "", answer, own)
    rows = [
        (
            escape(finding_name(finding.name)),
            f'<span class="number">{finding.probability:.2f}</span>',
            _bar(finding),
            badge(finding.present, answer_word(finding.present)),
            escape(say(f"review.{mine[finding.name]}")) if finding.name in mine else "",
        )
        for finding in findings
    ]
    marked = [finding.name for finding in findings].index(current)
    st.html(table(said, head, rows, marked=marked))


def _bar(finding: Finding) -> str:
    numbers = {"probability": finding.probability, "threshold": finding.threshold}
    return probability_bar(finding.probability, finding.threshold, say("answer.bar", **numbers))


def _plain(value: Any) -> Any:  # noqa: ANN401  what a display state holds, as JSON values
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value if value is None or isinstance(value, bool | int | float) else str(value)
