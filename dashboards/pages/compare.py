"""Two explanations of one film side by side: by two models, or by two methods of one."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from components import blind_read, comparison, film_view, model_choice
from components.markup import distinct, markdown_text, title
from components.study_table import date_words
from desk import may_open, opened_desk
from medcam.core.errors import MedcamError
from medcam.core.reader import Reader, Role
from medcam.core.review import Phase
from medcam.core.study import Study
from medcam.core.worklist import WorklistQuery
from medcam.service.studies.compared import finding_pairs
from medcam.service.studies.opened import OpenedStore
from medcam.service.studies.shown import Said, ShownFilm, ShownStudy, explanation_of, shown_study
from session import current_desk_reader, is_first_look, open_study_id
from words import finding_name, say

REVIEW = Path(__file__).with_name("review.py")
_COMMAND = "medcam annotate SOURCE --out DIR --store {store} --model OTHER"
_MOST_STUDIES = 200
_ROOM = 284  # CSS pixels that the choices above the films and the line below them take
_TITLE = 28  # CSS pixels of the line over films of which one model alone knows the finding
_SIDES = ("left", "right")


def main() -> None:
    """Draws the page."""
    opened, reader = opened_desk(), current_desk_reader()
    study, film, *sides = st.columns((10, 4, 9, 9), gap="small")
    with study:
        study_id = _choose_study(opened, reader)
    if study_id is None:
        st.info(say("compare.none"))
        return
    # Asked of the server each time: a link to somebody else's study leads nowhere.
    if not may_open(opened, reader, study_id):
        st.error(say("review.refused"))
        return
    shown = shown_study(opened, study_id)
    if not shown.films:
        st.info(say("review.no-film"))
        return
    with film:
        chosen = _choose_film(shown)
    if reader.has(Role.READER) and blind_read.is_due(opened, reader, chosen, wanted=blind_read.hides()):
        st.info(say("compare.blind"))
        if st.button(say("compare.to-review"), type="primary"):
            st.switch_page(REVIEW, query_params={"study": study_id})
    elif len(chosen.explanations) < len(_SIDES):
        _one_alone(opened, chosen)
    else:
        _compare(opened, reader, chosen, _choose_sides(chosen, sides))


def _choose_study(opened: OpenedStore, reader: Reader) -> str | None:
    """The study of the address, else the one that was open last, else the first of the reader's worklist."""
    wanted = st.query_params.get("study", "") or open_study_id()
    page = opened.worklist.page(WorklistQuery(size=_MOST_STUDIES), reader, 0.0)
    by_id = {line.study.id: line.study for line in page.lines}
    if wanted and wanted not in by_id:
        known = opened.films.study(wanted) if may_open(opened, reader, wanted) else None
        if known is None:
            return wanted
        by_id = {wanted: known, **by_id}
    if not by_id:
        return None
    names = list(by_id)
    labels = distinct({key: _study_words(one) for key, one in by_id.items()})
    chosen: str = st.selectbox(
        say("compare.study"),
        names,
        index=names.index(wanted) if wanted in names else 0,
        format_func=labels.__getitem__,
        key=f"compare-study-{wanted}",
    )
    if chosen != wanted:
        st.query_params.clear()
    st.query_params["study"] = chosen
    return chosen


def _study_words(study: Study) -> str:
    name = study.patient_name.split("=")[0].replace("^", " ").strip()
    parts = (name, study.patient_id, date_words(study.study_date), study.description)
    return " · ".join(part for part in parts if part) or study.id


def _choose_film(shown: ShownStudy) -> ShownFilm:
    by_id = {one.film.id: one for one in shown.films}
    names = list(by_id)
    wanted = st.query_params.get("film")
    chosen = st.selectbox(
        say("review.film"),
        names,
        index=names.index(wanted) if wanted in by_id else 0,
        format_func=film_view.labels(shown.films).__getitem__,
        key=f"compare-film-{shown.study.id}",
        disabled=len(names) < 2,
    )
    st.query_params["film"] = chosen
    return by_id[chosen]


def _one_alone(opened: OpenedStore, film: ShownFilm) -> None:
    """What is to be done where there are not two explanations: the command that makes another."""
    st.info(say("compare.one" if film.explanations else "compare.nobody"))
    st.code(_COMMAND.format(store=shlex.quote(opened.address.label)), language="sh")
    st.caption(say("compare.command"))


def _compare(opened: OpenedStore, reader: Reader, film: ShownFilm, sides: tuple[Said, Said]) -> None:
    left, right = sides
    if is_first_look(film.film.id, left.id, right.id):
        # Before anything of them is drawn: what was shown must be in the trail.
        for said in dict.fromkeys((left, right)):
            opened.reviews.begin(reader, film.film, Phase.AIDED, said)
    pairs = finding_pairs(explanation_of(left), explanation_of(right))
    names = [pair.name for pair in pairs]
    both = [pair.name for pair in pairs if pair.left and pair.right]
    wanted = st.query_params.get("finding")
    current = st.pills(
        say("compare.finding"),
        names,
        default=wanted if wanted in names else (both or names)[0],
        required=True,
        format_func=finding_name,
        key=f"compare-finding-{left.id}-{right.id}",
        label_visibility="collapsed",
    )
    st.query_params["finding"] = current
    pair = pairs[names.index(current)]
    knowing = [found for found in (pair.left, pair.right) if found is not None]
    columns = st.columns(2, gap="small")
    for side, said, found, column in zip(_SIDES, (left, right), (pair.left, pair.right), columns, strict=True):
        with column:
            if len(knowing) == 1:  # above both, so that both films stand at one height
                told = say("compare.unknown") if found is None else model_choice.label(said)
                st.html(title(say(f"compare.{side}"), told))
            film_view.draw(
                opened,
                film,
                said if found else None,
                finding=found.name if found else "",
                framed=film_view.frame(paired=True, room=_ROOM + (0 if len(knowing) > 1 else _TITLE)),
                key=f"compare-{side}",
            )
    st.caption(say("compare.scales"))
    comparison.draw(opened, film, (left, right), pairs, pair)


def _choose_sides(film: ShownFilm, columns: Sequence[DeltaGenerator]) -> tuple[Said, Said]:
    """The two explanations: those of the address, else the leading one and the newest of the others."""
    by_id = {one.id: one for one in film.explanations}
    names = list(by_id)
    labels = distinct({key: model_choice.label(one) for key, one in by_id.items()})
    chosen: list[Said] = []
    for side, column in zip(_SIDES, columns, strict=True):
        wanted = st.query_params.get(side)
        unused = [name for name in names if by_id[name] not in chosen]
        with column:
            one = st.selectbox(
                say(f"compare.{side}"),
                names,
                index=names.index(wanted if wanted in by_id else unused[0]),
                format_func=labels.__getitem__,
                key=f"compare-{side}-{film.film.id}",
            )
        st.query_params[side] = one
        chosen.append(by_id[one])
    return chosen[0], chosen[1]


try:
    main()
except MedcamError as error:
    st.error(markdown_text(str(error)))
