"""One study: its films, what the model said, which region drove it, and what the reader answers."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from components import answering, blind_read, film_view, study_facts
from components.markup import markdown_text
from components.study_table import date_words
from desk import DeskReader, StoreAccess, opened_desk
from medcam.core.errors import MedcamError
from medcam.core.reader import Reader, Role
from medcam.core.review import Phase
from medcam.service.studies.opened import OpenedStore
from medcam.service.studies.shown import ShownFilm, ShownStudy, shown_study
from session import current_desk_reader, is_first_look, next_study, open_study, open_study_id, seconds_open
from words import say

WORKLIST = Path(__file__).with_name("worklist.py")


def main() -> None:
    """Draws the page."""
    opened, reader = opened_desk(), current_desk_reader()
    study_id = st.query_params.get("study", "") or open_study_id()
    if not study_id:
        st.info(say("review.none"))
        st.page_link(WORKLIST, label=say("page.worklist"))
        return
    # Asked of the server each time: a link to somebody else's study leads nowhere.
    if not StoreAccess(opened).may_open(DeskReader(reader), study_id):
        st.error(say("review.refused"))
        return
    shown = shown_study(opened, study_id)
    if st.query_params.get("study") != study_id:
        st.query_params["study"] = study_id
    film = _heading(opened, shown, reader)
    _review(opened, reader, shown, film)


def _review(opened: OpenedStore, reader: Reader, shown: ShownStudy, film: ShownFilm) -> None:
    answers = reader.has(Role.READER)
    blind = answers and blind_read.is_due(opened, reader, film, wanted=blind_read.hides())
    open_study(shown.study.id)
    said = film.explanations[0] if film.explanations and not blind else None
    if is_first_look(film.film.id, said.id if said else ""):
        # Before anything of it is drawn: what was shown must be in the trail.
        opened.reviews.begin(reader, film.film, Phase.BLIND if blind else Phase.AIDED, said)
    left, right = st.columns((9, 4), gap="small")
    with right:
        if answers:
            blind_read.toggle()
        if blind:
            blind_read.draw(opened, reader, film)
            current = ""
        elif film.explanations:
            current = answering.draw(opened, reader, film) if answers else answering.look(film)
        else:
            st.info(say("review.no-explanation"))
            current = ""
        study_facts.draw(opened, shown, film, blind=blind, finding=current)
    with left:
        region = film_view.draw(opened, shown, film, finding=current, blind=blind)
    if region is not None and answers and not blind:
        answering.take_region(opened, reader, film, region)


def _heading(opened: OpenedStore, shown: ShownStudy, reader: Reader) -> ShownFilm:
    """Which study this is, the way to the next, and the choice among its films."""
    study = shown.study
    words, films, back, done = st.columns((7, 3, 2, 2), vertical_alignment="center")
    with words:
        parts = (study.patient_name.split("=")[0].replace("^", " ").strip(), study.patient_id)
        title = " · ".join(markdown_text(part) for part in parts if part) or study.id
        details = (date_words(study.study_date), study.accession_number, study.description)
        told = " · ".join(markdown_text(part) for part in details if part)
        st.markdown(f"**{title}**  \n:gray[{told}]" if told else f"**{title}**")
    with films:
        by_id = {one.film.id: one for one in shown.films}
        wanted = st.query_params.get("film")
        chosen = st.selectbox(
            say("review.film"),
            list(by_id),
            index=list(by_id).index(wanted) if wanted in by_id else 0,
            format_func=lambda one: f"{list(by_id).index(one) + 1} / {len(by_id)} · {by_id[one].film.view}",
            key=f"film-{study.id}",
            label_visibility="collapsed",
            disabled=len(by_id) < 2,
        )
    with back:
        if st.button(say("review.previous-study"), shortcut="Escape", width="stretch"):
            st.switch_page(WORKLIST)
    with done:
        if st.button(say("review.finish"), shortcut="N", type="primary", width="stretch"):
            _finish(opened, reader, study.id)
    return by_id[chosen]


def _finish(opened: OpenedStore, reader: Reader, study_id: str) -> None:
    if reader.has(Role.READER):
        opened.reviews.finish(reader, study_id, seconds_open())
    following = next_study(opened, reader, study_id)
    if following is None:
        st.toast(say("review.finished-all"))
        st.switch_page(WORKLIST)
    st.query_params.clear()
    st.query_params["study"] = following
    st.rerun()


try:
    main()
except MedcamError as error:
    st.error(markdown_text(str(error)))
