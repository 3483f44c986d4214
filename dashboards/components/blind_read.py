"""The first read without the model: what the reader sees, kept before anything is shown."""

from __future__ import annotations

import streamlit as st

from medcam.core.reader import Reader
from medcam.core.review import Answer, Phase, Review
from medcam.service.studies.opened import OpenedStore
from medcam.service.studies.shown import ShownFilm, explanation_of
from session import seconds_open
from words import finding_name, say

_DEFAULT_CONFIDENCE = 75
_HIDE = "hide-model"


def is_due(opened: OpenedStore, reader: Reader, film: ShownFilm, *, wanted: bool) -> bool:
    """Whether what the model says is to be hidden: it is wanted, and the reader was not shown it before.

    Also not once a first read is kept: what comes then is the model's turn.
    """
    if not (wanted and film.explanations) or opened.reviews.was_shown(reader, film.film.study_id, film.film.id):
        return False
    kept = opened.reviews.of_study(film.film.study_id, reader)
    return not any(one.review.radiograph == film.film.id for one in kept)


def toggle() -> None:
    """Lets the reader hide what models say, on every page where they do, until each film's first read is kept."""
    st.toggle(say("review.blind"), key=_HIDE, help=say("review.blind-help"), persist_state="session")


def hides() -> bool:
    """Whether the reader wants what models say to be hidden until a first read."""
    return bool(st.session_state.get(_HIDE))


def hide_at_first() -> None:
    """Hides what models say in a session in which the reader has not chosen otherwise."""
    if _HIDE not in st.session_state:
        st.session_state[_HIDE] = True


def draw(opened: OpenedStore, reader: Reader, film: ShownFilm) -> None:
    """Draws the questions of a first read: on every finding of which a model spoke."""
    said = [explanation_of(one) for one in film.explanations]
    names = sorted({finding.name for one in said for finding in one.findings}, key=finding_name)
    st.subheader(say("review.blind-head"), anchor=False)
    key = f"blind-{film.film.id}"
    seen = _several("present", names, key)
    unsure = _several("uncertain", [name for name in names if name not in seen], key)
    confidence = {
        name: st.slider(
            say("review.blind-confidence", finding=finding_name(name)),
            50,
            100,
            _DEFAULT_CONFIDENCE,
            key=f"{key}-{name}",
        )
        for name in seen
    }
    if st.button(say("review.blind-commit"), type="primary", shortcut="Ctrl+Enter"):
        _keep(opened, reader, film, names, confidence, frozenset(unsure))
        st.rerun()


def _several(answer: str, names: list[str], key: str) -> list[str]:
    return st.pills(
        say(f"review.blind-{answer}"),
        names,
        selection_mode="multi",
        format_func=finding_name,
        key=f"{key}-{answer}",
        wrap=True,
    )


def _keep(
    opened: OpenedStore,
    reader: Reader,
    film: ShownFilm,
    names: list[str],
    present: dict[str, int],
    unsure: frozenset[str],
) -> None:
    """Keeps an answer for every finding: what was not named is absent, with confidence 0 that it is there."""
    seconds = round(seconds_open(), 1)
    reviews = []
    for name in names:
        answer = Answer.PRESENT if name in present else Answer.UNCERTAIN if name in unsure else Answer.ABSENT
        confidence = {Answer.PRESENT: float(present.get(name, 0)), Answer.UNCERTAIN: 50.0}.get(answer, 0.0)
        review = Review(
            study=film.film.study_id,
            radiograph=film.film.id,
            explanation=None,
            reader=reader.id,
            phase=Phase.BLIND,
            finding=name,
            answer=answer,
            confidence=confidence,
            display={"overlay": False},
            seconds=seconds,
        )
        reviews.append(review)
    opened.reviews.add_all(reviews, reader)
