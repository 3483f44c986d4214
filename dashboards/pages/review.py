"""One study: its films, what the model said, which region drove it, and what the reader answers."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from components import answering, blind_read, film_view, model_choice, prior_film, study_facts
from components.markup import markdown_text, title
from components.study_table import date_words
from desk import may_open, opened_desk
from medcam.core.errors import MedcamError
from medcam.core.reader import Reader, Role
from medcam.core.review import Phase
from medcam.service.studies.opened import OpenedStore
from medcam.service.studies.shown import Said, ShownFilm, ShownStudy, shown_study
from session import current_desk_reader, go, is_first_look, next_study, open_study, open_study_id, seconds_open
from viewer import ViewerRegion
from words import say

WORKLIST = Path(__file__).with_name("worklist.py")
COMPARE = Path(__file__).with_name("compare.py")
_PAIR_ROOM = 36  # CSS pixels that the titles of two films take


def main() -> None:
    """Draws the page."""
    opened, reader = opened_desk(), current_desk_reader()
    study_id = st.query_params.get("study", "") or open_study_id()
    if not study_id:
        st.info(say("review.none"))
        st.page_link(WORKLIST, label=say("page.worklist"))
        return
    # Asked of the server each time: a link to somebody else's study leads nowhere.
    if not may_open(opened, reader, study_id):
        st.error(say("review.refused"))
        return
    shown = shown_study(opened, study_id)
    if st.query_params.get("study") != study_id:
        st.query_params["study"] = study_id
    if not shown.films:
        st.info(say("review.no-film"))
        return
    film = _heading(opened, shown, reader)
    _review(opened, reader, shown, film)


def _review(opened: OpenedStore, reader: Reader, shown: ShownStudy, film: ShownFilm) -> None:
    answers = reader.has(Role.READER)
    blind = answers and blind_read.is_due(opened, reader, film, wanted=blind_read.hides())
    open_study(shown.study.id)
    left, right = st.columns((9, 4), gap="small")
    with right:
        if answers:
            blind_read.toggle()
        if not blind:
            film = model_choice.choose(film)
    said = film.explanations[0] if film.explanations and not blind else None
    if is_first_look(film.film.id, said.id if said else ""):
        # Before anything of it is drawn: what was shown must be in the trail.
        opened.reviews.begin(reader, film.film, Phase.BLIND if blind else Phase.AIDED, said)
    with right:
        if blind:
            blind_read.draw(opened, reader, film)
            current = ""
        elif film.explanations:
            current = answering.draw(opened, reader, film) if answers else answering.look(film)
        else:
            st.info(say("review.no-explanation"))
            current = ""
        study_facts.draw(opened, shown, film, reader, blind=blind, finding=current)
    with left, st.container(key="films"):
        region = _films(opened, reader, shown, film, said, finding=current, blind=blind)
    if region is not None and answers and not blind:
        answering.take_region(opened, reader, film, region)


def _films(
    opened: OpenedStore,
    reader: Reader,
    shown: ShownStudy,
    film: ShownFilm,
    said: Said | None,
    *,
    finding: str,
    blind: bool,
) -> ViewerRegion | None:
    """The film, and the prior one beside it where the reader wants it."""
    found = prior_film.priors(opened, reader, shown, film)
    prior = _tools(shown, film, found, compares=not blind)
    drawing = reader.has(Role.READER) and said is not None
    if prior is None:
        return film_view.draw(opened, film, said, finding=finding, framed=film_view.frame(drawing=drawing))
    beside = prior_film.shown_prior(opened, prior)
    hidden = reader.has(Role.READER) and blind_read.is_due(opened, reader, beside, wanted=blind_read.hides())
    prior_said = prior_film.said_of(beside, blind=blind, hidden=hidden)
    prior_film.note(opened, reader, beside, prior_said, blind=blind, beside=shown.study.id)
    now, before = st.columns(2, gap="small")
    framed = film_view.frame(paired=True, drawing=drawing, room=film_view.ROOM + _PAIR_ROOM)
    with now:
        st.html(title(say("prior.now"), date_words(shown.study.study_date), film.film.view))
        region = film_view.draw(opened, film, said, finding=finding, framed=framed)
    with before:
        st.html(title(say("prior.before"), prior_film.label(prior), _why_bare(beside, prior_said, hidden=hidden)))
        framed = film_view.frame(paired=True, room=film_view.ROOM + _PAIR_ROOM)
        film_view.draw(opened, beside, prior_said, finding=finding, framed=framed, key="prior")
    return region


def _why_bare(prior: ShownFilm, said: Said | None, *, hidden: bool) -> str:
    """Why the prior film is shown without a map; empty where it has one."""
    if said is not None:
        return ""
    return say("prior.hidden" if prior.explanations or hidden else "prior.no-model")


def _tools(
    shown: ShownStudy, film: ShownFilm, found: list[prior_film.PriorFilm], *, compares: bool
) -> prior_film.PriorFilm | None:
    """The line over the film: the prior film, and the way to the comparison of models."""
    if not found and not (compares and film.explanations):
        return None
    left, right = st.columns((7, 3), vertical_alignment="center")
    with left:
        prior = prior_film.choose(found)
    with right:
        if (
            compares
            and film.explanations
            and st.button(say("review.compare"), icon=":material/compare:", width="stretch")
        ):
            sides = {"left": film.explanations[0].id}
            st.switch_page(COMPARE, query_params={"study": shown.study.id, "film": film.film.id, **sides})
    return prior


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
            format_func=film_view.labels(shown.films).__getitem__,
            key=f"film-{study.id}",
            label_visibility="collapsed",
            disabled=len(by_id) < 2,
        )
    with back:
        st.button(say("review.previous-study"), shortcut="Escape", width="stretch", on_click=go, args=(WORKLIST,))
    with done:
        finish = say("review.finish")
        asked = (opened, reader, study.id)
        st.button(finish, shortcut="N", type="primary", width="stretch", on_click=_finish, args=asked)
    return by_id[chosen]


def _finish(opened: OpenedStore, reader: Reader, study_id: str) -> None:
    try:
        if not may_open(opened, reader, study_id):
            return  # which the page says
        if reader.has(Role.READER):
            opened.reviews.finish(reader, study_id, seconds_open())
        following = next_study(opened, reader, study_id)
    except MedcamError as error:
        st.toast(markdown_text(str(error)), icon=":material/error:")
        return
    if following is None:
        st.toast(say("review.finished-all"))
        go(WORKLIST)
        return
    answering.forget_comment()
    st.query_params.clear()
    st.query_params["study"] = following


try:
    main()
except MedcamError as error:
    st.error(markdown_text(str(error)))
