"""Agreement as tables: by finding, reader and model, reader and reader, before and after the model was shown."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import streamlit as st

from components.forest import interval_mark, number, plain
from components.markup import table
from medcam.service.agreement.changes import Change
from medcam.service.agreement.figures import Between, Figure, FindingSummary, PairAgreement, WithModel
from medcam.service.agreement.judges import Judge
from words import finding_name, say

_KAPPA = ("kappa", "scale", "percent", "adjusted")
"""Columns of two judges beside each other."""


def who(judge: Judge) -> str:
    """What a reader is called on the page."""
    if judge.mine:
        return say("agreement.you")
    return judge.name or say("agreement.pseudonym", number=judge.number)


def findings(summaries: Sequence[FindingSummary], current: str) -> None:
    """Each finding at a glance."""
    head = _head("finding", "answers", "reader-calls", "model-calls", *_KAPPA, "alpha")
    rows = [
        (
            escape(finding_name(one.finding)),
            _count(one.model.cases),
            _share(one.model.both + one.model.first_only, one.model.cases),
            _share(one.model.both + one.model.second_only, one.model.cases),
            *_kappa(one.model),
            number(one.alpha, _doubt(one.alpha)),
        )
        for one in summaries
    ]
    marked = [one.finding for one in summaries].index(current)
    st.html(table(say("agreement.findings"), head, rows, marked=marked))


def with_model(found: Sequence[WithModel], finding: str) -> None:
    """Each reader beside the model."""
    head = _head("reader", "answers", *_KAPPA, "auc-confidence", "auc-probability", "iou", "kept")
    rows = [
        (
            escape(who(one.reader)),
            _count(one.pair.cases),
            *_kappa(one.pair),
            *(number(figure, _doubt(figure)) for figure in (one.confidence.area, one.probability.area, one.overlap)),
            number(one.accepted, _doubt(one.accepted), percent=True),
        )
        for one in found
    ]
    st.html(table(say("agreement.with-model", finding=finding_name(finding)), head, rows))


def between(found: Sequence[Between], finding: str) -> None:
    """Every two readers."""
    if not found:
        st.caption(say("agreement.no-pair"))
        return
    head = _head("both-readers", "answers", *_KAPPA, "auc-first", "auc-second", "iou")
    rows = [
        (
            escape(f"{who(one.first)} · {who(one.second)}"),
            _count(one.pair.cases),
            *_kappa(one.pair),
            *(number(figure, _doubt(figure)) for figure in (one.first_grades, one.second_grades, one.overlap)),
        )
        for one in found
    ]
    st.html(table(say("agreement.between", finding=finding_name(finding)), head, rows))


def changes(found: Sequence[Change]) -> None:
    """What readers changed when they were shown the model's call."""
    if not found:
        st.caption(say("agreement.no-changes"))
        return
    head = _head("reader", "twice", "toward", "away", "settled", "unsettled")
    rows = [
        (
            escape(who(one.reader)),
            _count(one.cases),
            _changed(one.joined, one.joined + one.kept_against, one.toward),
            _changed(one.left, one.left + one.kept_with, one.away),
            _count(one.settled),
            _count(one.unsettled),
        )
        for one in found
    ]
    st.html(table(say("agreement.changes"), head, rows))


def _head(*names: str) -> tuple[str, ...]:
    return tuple(say(f"agreement.{name}") for name in names)


def _kappa(pair: PairAgreement) -> tuple[str, str, str, str]:
    figure = pair.kappa
    words = say(
        "agreement.read-out",
        measure=say("agreement.kappa"),
        figure=plain(figure),
        cases=figure.cases,
        patients=figure.groups,
    )
    return (
        number(figure, _doubt(figure)),
        interval_mark(figure, words),
        number(pair.percent, percent=True),
        number(pair.adjusted),
    )


def _doubt(figure: Figure) -> str:
    return "" if figure.doubt is None else say(f"agreement.doubt.{figure.doubt}")


def _changed(count: int, total: int, figure: Figure) -> str:
    told = escape(say("agreement.of", count=count, total=total))
    return f'<span class="amount">{told}</span> · {number(figure, percent=True)}' if total else _count(0)


def _count(count: int) -> str:
    return f'<span class="amount">{count}</span>'


def _share(count: int, total: int) -> str:
    return f'<span class="amount">{100 * count / total:.0f} %</span>' if total else ""
