"""The patient's prior film beside the one that is read: which there are, which is shown, and what is shown of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import streamlit as st

from components.markup import distinct
from components.study_table import date_words
from desk import may_open_of
from medcam.core.reader import Reader, Role
from medcam.core.review import Phase
from medcam.core.study import Study
from medcam.service.studies.opened import OpenedStore
from medcam.service.studies.shown import KeptFilm, Said, ShownFilm, ShownStudy
from session import forget_look, is_first_look
from words import say

KEY = "2"
"""The key that shows the prior film; the letters are all taken by the viewer and the answers."""
_SHOWN, _CHOSEN = "prior-shown", "prior-film"
_MONTH, _YEAR = 30.44, 365.25
_LONG_DAYS, _LONG_MONTHS = 62, 24


@dataclass(frozen=True, eq=False)
class PriorFilm:
    """A film of an earlier study of the same patient that the reader may open.

    Args:
        study: Its study.
        film: The film; what models said of it is read when it is shown, by `shown_prior`.
        interval: How long before the film that is read it was taken, in words.
    """

    study: Study
    film: KeptFilm
    interval: str


def shown_prior(opened: OpenedStore, prior: PriorFilm) -> ShownFilm:
    """A prior film with what models said of it."""
    return ShownFilm(prior.film, tuple(opened.films.explanations(prior.film.id)))


def priors(opened: OpenedStore, reader: Reader, shown: ShownStudy, film: ShownFilm) -> list[PriorFilm]:
    """Prior films, the latest first; within a study those of the same view first."""
    # A prior is a study like any other: who may not open it sees neither its film nor that it is there.
    allowed = may_open_of(opened, reader, [study.id for study in shown.priors])
    films = opened.films.films_of(allowed)
    found = []
    for study in shown.priors:
        interval = interval_words(study.study_date, shown.study.study_date)
        ordered = sorted(films.get(study.id, ()), key=lambda one: one.view != film.film.view)
        found += [PriorFilm(study, one, interval) for one in ordered if opened.files.has_pixels(one.sha256)]
    return found


def interval_words(earlier: str, later: str) -> str:
    """The time between two dates (YYYYMMDD) in words; empty where one of them is none."""
    try:
        days = (date.fromisoformat(later) - date.fromisoformat(earlier)).days
    except ValueError:
        return ""
    if days <= _LONG_DAYS:
        return say("prior.days", days=days)
    if days <= _LONG_MONTHS * _MONTH:
        return say("prior.months", months=round(days / _MONTH))
    return say("prior.years", years=f"{days / _YEAR:.1f}")


def choose(found: list[PriorFilm]) -> PriorFilm | None:
    """Lets the reader show a prior film, and choose among several; None while none is shown."""
    if not found:
        return None
    shown = bool(st.session_state.get(_SHOWN))
    words = say("prior.hide") if shown else say("prior.show", count=len(found))
    button, choice = st.columns((2, 3), vertical_alignment="center")
    with button:
        st.button(words, shortcut=KEY, key="prior-toggle", width="stretch", on_click=_toggle)
    if not shown:
        return None
    by_id = {one.film.id: one for one in found}
    labels = distinct({key: label(one) for key, one in by_id.items()})
    with choice:
        chosen = st.selectbox(
            say("prior.choose"),
            list(by_id),
            format_func=labels.__getitem__,
            key=f"{_CHOSEN}-{found[0].film.id}",
            label_visibility="collapsed",
            disabled=len(by_id) < 2,
        )
    return by_id[chosen]


def _toggle() -> None:
    st.session_state[_SHOWN] = not st.session_state.get(_SHOWN)
    forget_look(_SHOWN)


def label(prior: PriorFilm) -> str:
    """When a prior film was taken, how long before, and its view."""
    parts = (date_words(prior.study.study_date), prior.interval, prior.film.view)
    return " · ".join(part for part in parts if part)


def said_of(prior: ShownFilm, *, blind: bool, hidden: bool) -> Said | None:
    """What is shown of the model on a prior film: its newest explanation, and nothing in a blind reading.

    Args:
        prior: The prior film.
        blind: Whether the film that is read is read blind.
        hidden: Whether the first read of the prior film itself is still to be blind.
    """
    return None if blind or hidden or not prior.explanations else prior.explanations[0]


def note(opened: OpenedStore, reader: Reader, prior: ShownFilm, said: Said | None, *, blind: bool, beside: str) -> None:
    """Notes in the trail that a prior film is looked at, before it is drawn; once for each look.

    Args:
        opened: The store.
        reader: Who looks.
        prior: The prior film.
        said: What is shown of the model on it.
        blind: Whether the film that is read is read blind.
        beside: Id of the study that is read.
    """
    if is_first_look(prior.film.id, said.id if said else "", place=_SHOWN):
        phase = Phase.BLIND if blind and reader.has(Role.READER) else Phase.AIDED
        opened.reviews.look(reader, prior.film, phase, said, beside=beside)
