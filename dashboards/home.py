"""The review page: what a model says of each film in a folder that `medcam annotate` wrote, and why.

It reads results and computes none: no model runs in this process.
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import streamlit as st

from components import film, findings, ledger, notices, provenance, run, worklist
from components.markup import markdown_text
from medcam.core.errors import InputError, MedcamError
from medcam.core.explanation import Explanation
from medcam.service.explanations.explanation_json import read_explanation
from medcam.service.review import STORE_VARIABLE, results_folder
from results import FilmFile, FilmSummary, find_films, summarise
from run_record import RunRecord, read_run
from urgency import by_urgency


# A resource, not data: the value is frozen, so that every session may hold the same one without copying it.
@st.cache_resource(max_entries=64, show_spinner=False)
def _explanation(file: FilmFile) -> Explanation:
    return read_explanation(file.path)


def main() -> None:
    """Draws the page."""
    st.set_page_config(page_title="medcam review", layout="wide", initial_sidebar_state=320)
    st.html(Path(__file__).with_name("style.css"))
    notices.research_use()
    try:
        folder = results_folder(os.environ.get(STORE_VARIABLE))
    except MedcamError as error:
        st.error(markdown_text(str(error)))
        return
    record = read_run(folder)
    with st.spinner("Reading the worklist"):
        summaries = by_urgency([summarise(file) for file in find_films(folder)])
    if summaries or record.complete or record.quarantined:
        run.run_state(record)
    with st.sidebar:
        st.title("Worklist", anchor=False)
        current = worklist.choose_film(summaries) if summaries else None
    if current is None:
        _nothing(summaries, record, folder)
    elif current.problem:
        _unreadable(current)
    else:
        _film(current.file, folder)
    run.run_details(record)


def _film(file: FilmFile, folder: Path) -> None:
    try:
        explanation = _explanation(file)
    except InputError as error:
        st.error(markdown_text(str(error)))
        return
    film.heading(file, explanation)
    notices.film_notices(explanation)
    ordered = findings.by_margin(explanation.findings)
    if not ordered:
        st.info("The model of this run knows no finding.")
        return
    left, right = st.columns((8, 5), gap="medium")
    with left:
        current = findings.choose_finding(ordered, file.film_id)
        film.overlay(file, current, folder)
        provenance.model_line(explanation)
        provenance.record(explanation)
    with right:
        findings.findings_table(ordered, current)
        ledger.ledger(current)
        ledger.zones(current.evidence)
        ledger.regions(current.regions, has_ledger=current.evidence is not None)


def _unreadable(summary: FilmSummary) -> None:
    st.subheader(f"Film {summary.file.instance}", anchor=False)
    st.error(
        f"{summary.problem}. Delete the film's folder {summary.file.film_id} and run `medcam annotate` again with the "
        "same --out.",
        icon=":material/broken_image:",
    )


def _nothing(summaries: tuple[FilmSummary, ...], record: RunRecord, folder: Path) -> None:
    if summaries:
        st.info("Choose a film in the worklist.")
    elif record.quarantined or record.skipped:
        st.info("This run annotated no film. Its inputs were set aside: see the lists below.")
    else:
        st.info("This folder holds no annotated film. Write some into it with:")
        st.code(f"medcam annotate SOURCE --out {shlex.quote(str(folder))}", language="sh", wrap_lines=True)


if __name__ == "__main__":
    main()
