"""What a reader may want to know beside the film: evidence, answers so far, the file's attributes, the model."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape
from pathlib import Path

import streamlit as st

from components import ledger, model_card, notices, provenance
from components.markup import facts, markdown_text, table
from components.prior_film import interval_words
from components.study_table import date_words
from desk import may_open_of
from medcam.core.reader import Reader
from medcam.service.studies.opened import OpenedStore
from medcam.service.studies.shown import ShownFilm, ShownStudy, card_of, explanation_of
from words import finding_name, say

REVIEW = Path(__file__).parents[1] / "pages" / "review.py"
_LATEST_FIRST = -1


def draw(opened: OpenedStore, shown: ShownStudy, film: ShownFilm, reader: Reader, *, blind: bool, finding: str) -> None:
    """Draws tabs; while the reader reads blind, those that tell what the model or others say are left out.

    Args:
        opened: The store.
        shown: The study.
        film: Its film that is shown.
        reader: Who looks.
        blind: Whether what the model says is hidden.
        finding: The finding that is answered for; empty for none.
    """
    if blind or not film.explanations:
        film_attributes(film)
        return
    explanation = explanation_of(film.explanations[0])
    notices.film_notices(explanation)
    names = ("evidence", "answers", "attributes", "model", "record")
    evidence, answers, attributes, model, record = st.tabs([say(f"review.{name}") for name in names])
    with evidence:
        if finding:
            found = explanation.finding(finding)
            ledger.ledger(found)
            ledger.zones(found.evidence)
            ledger.regions(found.regions, has_ledger=found.evidence is not None)
    with answers:
        _answers(opened, shown)
        _priors(opened, shown, reader)
    with attributes:
        film_attributes(film)
    with model:
        model_card.draw(card_of(opened, film.explanations[0]), short=True)
    with record:
        provenance.model_line(explanation)
        provenance.record(explanation)


def _answers(opened: OpenedStore, shown: ShownStudy) -> None:
    kept = opened.reviews.of_study(shown.study.id)[::_LATEST_FIRST]
    if not kept:
        st.caption(say("review.no-answers"))
        return
    readers = opened.readers.names([one.review.reader for one in kept])
    head = tuple(say(f"review.table.{name}") for name in ("finding", "said", "reader", "when", "comment"))
    rows = [
        (
            escape(finding_name(one.review.finding)),
            escape(say(f"review.{one.review.answer}")) + (" ◦" if one.review.phase == "blind" else ""),
            escape(readers.get(one.review.reader, "")),
            datetime.fromtimestamp(one.created, UTC).strftime("%Y-%m-%d %H:%M"),
            escape(one.review.comment),
        )
        for one in kept
    ]
    st.html(table(say("review.answers"), head, rows))


def _priors(opened: OpenedStore, shown: ShownStudy, reader: Reader) -> None:
    """The patient's earlier studies that the reader may open."""
    allowed = may_open_of(opened, reader, [prior.id for prior in shown.priors])
    found = [prior for prior in shown.priors if prior.id in allowed]
    if not found:
        return
    st.caption(say("prior.earlier"))
    for prior in found:
        parts = (date_words(prior.study_date), interval_words(prior.study_date, shown.study.study_date))
        words = " · ".join(markdown_text(part) for part in (*parts, prior.description) if part)
        if st.button(words, key=f"open-{prior.id}", type="tertiary"):
            st.switch_page(REVIEW, query_params={"study": prior.id})


def film_attributes(film: ShownFilm) -> None:
    """What the film's file says of itself."""
    pairs = [
        (keyword, value if isinstance(value, str) else ", ".join(value))
        for keyword, value in film.film.attributes.items()
        if keyword != "film"
    ]
    own = film.film.attributes.get("film", {})
    pairs += [(name, str(value)) for name, value in own.items()]
    record = film.film.display
    pairs += [("Rows × Columns", f"{record['rows']} × {record['columns']}"), ("SHA-256", film.film.sha256[:16])]
    pairs += [("Steps", "; ".join(record["steps"]))]
    st.html(facts(pairs))
