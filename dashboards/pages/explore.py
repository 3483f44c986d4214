"""One's own films: handed in, explained by a worker, shown to nobody else, and in no store unless they are kept."""

from __future__ import annotations

import time

import streamlit as st

from components import answering, film_view, ledger, model_card, notices, own_files, provenance, study_facts
from components.markup import markdown_text
from desk import opened_desk, own_id, submissions
from medcam.core.errors import MedcamError
from medcam.core.reader import Reader, Role
from medcam.service.studies.shown import ShownFilm, card_of, explanation_of
from medcam.service.submissions.box import SubmissionBox
from medcam.service.submissions.shown import ShownSubmission, shown_submission
from medcam.service.submissions.submission import Submission
from session import current_desk_reader
from words import say


def main() -> None:
    """Draws the page."""
    opened, reader = opened_desk(), current_desk_reader()
    if not reader.has(Role.READER, Role.AUDITOR):
        st.error(say("review.refused"))
        return
    box = submissions(opened)
    submission = _open(box, reader)
    if submission is None:
        st.markdown(f"**{say('explore.hand-in')}**")
        own_files.hand_in(opened, box, reader)
        own_files.choose(box.owned(reader.label), say("explore.earlier"))
        return
    status = box.status(submission)
    if not status.ended:
        own_files.wait(box, submission)
        return
    own_files.tell(status)
    held = box.films(submission)
    shown = shown_submission(held, own_id(submission), time.time) if held.any() else None
    film, actions = st.columns((2, 7), vertical_alignment="center")
    with film:
        chosen = None if shown is None else _film(shown, submission)
    with actions:
        own_files.actions(opened, box, submission, reader, has_films=shown is not None)
    if shown is None or chosen is None:
        st.info(say("explore.no-films"))
    else:
        _show(shown, chosen)


def _open(box: SubmissionBox, reader: Reader) -> Submission | None:
    """The submission that the address names; asked for anew each time, so that nobody else's is shown."""
    wanted = st.query_params.get("submission", "")
    if not wanted:
        return None
    try:
        return box.find(wanted, reader.label)
    except MedcamError as error:
        st.error(markdown_text(str(error)))
        del st.query_params["submission"]
        return None


def _show(shown: ShownSubmission, film: ShownFilm) -> None:
    said = film.explanations[0]
    left, right = st.columns((9, 4), gap="small")
    with right:
        current = answering.look(film, note="")
        explanation = explanation_of(said)
        notices.film_notices(explanation)
        names = ("evidence", "attributes", "model", "record")
        evidence, attributes, model, record = st.tabs([say(f"review.{name}") for name in names])
        with evidence:
            found = explanation.finding(current)
            ledger.ledger(found)
            ledger.zones(found.evidence)
            ledger.regions(found.regions, has_ledger=found.evidence is not None)
        with attributes:
            study_facts.film_attributes(film)
        with model:
            model_card.draw(card_of(shown, said), short=True)
        with record:
            provenance.model_line(explanation)
            provenance.record(explanation)
    with left:
        film_view.draw(shown, film, said, finding=current, framed=film_view.frame())


def _film(shown: ShownSubmission, submission: Submission) -> ShownFilm:
    by_id = {one.film.id: one for one in shown.shown}
    chosen = st.selectbox(
        say("review.film"),
        list(by_id),
        format_func=film_view.labels(shown.shown).__getitem__,
        key=f"film-{submission.id}",
        label_visibility="collapsed",
        disabled=len(by_id) < 2,
    )
    return by_id[chosen]


try:
    main()
except MedcamError as error:
    st.error(markdown_text(str(error)))
