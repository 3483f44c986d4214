"""How far readers agree with a model and with each other, with intervals."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import astuple, fields
from pathlib import Path

import streamlit as st

from components import agreement_charts, agreement_tables
from components.agreement_data import details_of, report_of
from components.markup import facts, markdown_text
from components.spreadsheet import csv_bytes
from desk import opened_desk
from medcam.core.reader import Reader
from medcam.core.review import Phase
from medcam.service.agreement.flat import FlatFigure, flat_figures
from medcam.service.agreement.report import FEWEST_GROUPS, SMALL_GROUPS, AgreementQuery, AgreementReport, FindingDetails
from medcam.service.audit.events import note
from medcam.service.studies.opened import OpenedStore
from session import current_desk_reader
from words import finding_name, say

STYLE = Path(__file__).parents[1] / "agreement.css"
_DAY = 86400.0
_PERIODS = ("all", "365", "90", "30")
_READING = ("kappa", "alpha", "auc", "region", "interval")
_LOOK = "agreement-look"


def main() -> None:
    """Draws the page. What its reader may not see is not in the report that it draws."""
    opened, reader = opened_desk(), current_desk_reader()
    st.html(STYLE)
    spoke = [model for model in opened.films.models() if model.explanations]
    models = {model.card_sha256: f"{model.name} · {model.version}" for model in spoke}
    if not models:
        st.info(say("agreement.no-model"))
        return
    phases, model, period, finding, export = st.columns((2, 3, 2, 3, 2), vertical_alignment="bottom")
    with phases:
        phase = Phase(_choice("phase", [str(one) for one in Phase], prefix="agreement.phase"))
    with model:
        card = _choice("model", list(models), names=models)
    with period:
        days = _choice("period", list(_PERIODS), prefix="agreement.period")
    query = AgreementQuery(card, phase, _since(days))
    report = report_of(opened, reader, query)
    _note_look(opened, reader, query)
    if not report.findings:
        _nothing(report, phase)
        return
    with finding:
        names = _most_answered_first(report)
        chosen = _choice("agreed-on", names, names={name: finding_name(name) for name in names})
    with export:
        st.download_button(
            say("agreement.export"),
            data=lambda: _export(opened, reader, query, report),
            file_name=f"medcam-agreement-{phase}.csv",
            mime="text/csv",
            width="stretch",
            on_click="ignore",
        )
    _notices(report, phase, chosen)
    _draw(report, details_of(opened, reader, query, chosen))


def _choice(name: str, values: list[str], *, prefix: str = "", names: dict[str, str] | None = None) -> str:
    """One of several values; it stands in the address, so that a reload or a link keeps it."""
    label = {"phase": "phase", "model": "model", "period": "period", "agreed-on": "finding"}[name]
    return st.selectbox(
        say(f"agreement.{label}"),
        values,
        format_func=lambda one: names[one] if names else say(f"{prefix}.{one}"),
        key=name,
        persist_state="session",
        bind="query-params",
    )


def _since(days: str) -> float:
    """When the period begins, at midnight UTC: it stays the same for a day."""
    if days == "all":
        return 0.0
    return (time.time() // _DAY - float(days)) * _DAY


def _most_answered_first(report: AgreementReport) -> list[str]:
    return [one.finding for one in sorted(report.findings, key=lambda one: (-one.model.cases, one.finding))]


def _note_look(opened: OpenedStore, reader: Reader, query: AgreementQuery) -> None:
    """Notes what was looked at, once: how readers do is about people."""
    look = (query.card_sha256, str(query.phase), query.since)
    if st.session_state.get(_LOOK) != look:
        note(opened, "agreement-viewed", reader.label, _asked(query))
        st.session_state[_LOOK] = look


def _asked(query: AgreementQuery) -> dict[str, str | float]:
    return {"phase": str(query.phase), "card_sha256": query.card_sha256, "since": query.since}


def _nothing(report: AgreementReport, phase: Phase) -> None:
    words = {"page": say("page.review"), "switch": say("review.blind")}
    how = (
        say("agreement.how-blind", **words) if phase is Phase.BLIND else say("agreement.how-aided", page=words["page"])
    )
    st.info(f"{say('agreement.no-answers')} {how}")
    if report.both:
        other = Phase.AIDED if phase is Phase.BLIND else Phase.BLIND
        st.caption(say("agreement.other-phase", phase=say(f"agreement.phase.{other}"), count=len(report.both)))


def _notices(report: AgreementReport, phase: Phase, finding: str) -> None:
    """What must be known before the figures."""
    if phase is Phase.AIDED:
        st.warning(say("agreement.aided-note"), icon=":material/visibility:")
    else:
        st.caption(say("agreement.blind-note"))
    if not report.judges.sees_all:
        st.caption(say("agreement.own-note"))
    groups = next(one.model.groups for one in report.findings if one.finding == finding)
    if groups < FEWEST_GROUPS:
        st.warning(say("agreement.few", patients=groups, least=FEWEST_GROUPS), icon=":material/group_off:")
    elif groups < SMALL_GROUPS:
        name = markdown_text(finding_name(finding))
        st.warning(say("agreement.small", patients=groups, least=SMALL_GROUPS, finding=name), icon=":material/group:")


def _draw(report: AgreementReport, details: FindingDetails) -> None:
    left_out = [say(f"agreement.left-out.{why}", count=count) for why, count in report.left_out.items()]
    counted = [(say(f"agreement.{name}"), str(count)) for name, count in (
        ("readers", len(report.readers)),
        ("films", report.films),
        ("patients", report.patients),
        ("answers", report.answers),
    )]  # fmt: skip
    told = ", ".join(left_out) or say("agreement.none-left-out")
    st.html(facts((*counted, (say("agreement.left-out"), told)), line=True))
    agreement_tables.findings(report.findings, details.finding)
    time_chart, confidence, probability = st.columns(3, gap="medium")
    with time_chart:
        agreement_charts.over_time(details.over_time, details.unit)
    named = {agreement_tables.who(one.reader): one for one in details.with_model}
    with confidence:
        agreement_charts.curves("confidence", {name: one.confidence for name, one in named.items()})
    with probability:
        agreement_charts.curves("probability", {name: one.probability for name, one in named.items()})
    agreement_tables.with_model(details.with_model, details.finding)
    agreement_tables.between(details.between, details.finding)
    agreement_tables.changes(report.changes)
    with st.expander(say("agreement.reading")):
        st.markdown("\n".join(f"- {say(f'agreement.reading.{name}')}" for name in _READING))


def _export(opened: OpenedStore, reader: Reader, query: AgreementQuery, report: AgreementReport) -> bytes:
    """All figures as CSV; that they were exported is an event."""
    details: Sequence[FindingDetails] = [details_of(opened, reader, query, one.finding) for one in report.findings]
    rows = [astuple(one) for one in flat_figures(report, details)]
    note(opened, "agreement-exported", reader.label, {**_asked(query), "rows": len(rows)})
    asked = tuple(_asked(query).values())
    head = ("phase", "card_sha256", "since", *(one.name for one in fields(FlatFigure)))
    return csv_bytes(head, [(*asked, *row) for row in rows])


main()
