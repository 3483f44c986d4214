"""A report as flat rows, one figure a row, for a spreadsheet or another program."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from medcam.service.agreement.changes import Change
from medcam.service.agreement.figures import Between, Figure, OverTime, PairAgreement, WithModel
from medcam.service.agreement.judges import Judge
from medcam.service.agreement.report import AgreementReport, FindingDetails

MODEL = "model"
"""How the model is named where a reader would be."""
ALL_READERS = "all readers"


@dataclass(frozen=True, slots=True)
class FlatFigure:
    """One figure.

    Args:
        table: Which comparison it belongs to.
        finding: Name of the finding; empty for all findings.
        first: Who is compared.
        second: With whom.
        period: First day of the period; empty for all of them.
        measure: What the figure is.
        value: The figure; None where there is none.
        low: Lower end of its 95 % interval.
        high: Upper end of its 95 % interval.
        cases: How many pairs of answers it is computed from.
        patients: How many patients these belong to.
        doubt: Why value or interval are not there or say little; empty where there is no such reason.
    """

    table: str
    finding: str
    first: str
    second: str
    period: str
    measure: str
    value: float | None
    low: float | None
    high: float | None
    cases: int
    patients: int
    doubt: str


def flat_figures(report: AgreementReport, details: Iterable[FindingDetails]) -> Iterator[FlatFigure]:
    """All figures of a report.

    Args:
        report: The report.
        details: Of the findings that are wanted whole.
    """
    for summary in report.findings:
        names = ("finding", summary.finding, ALL_READERS, MODEL, "")
        yield from _pair(names, summary.model)
        yield _figure(("finding", summary.finding, ALL_READERS, ALL_READERS, ""), "alpha", summary.alpha)
    for change in report.changes:
        yield from _change("", change)
    for one in details:
        for row in one.with_model:
            yield from _with_model(one.finding, row)
        for pair in one.between:
            yield from _between(one.finding, pair)
        for period in one.over_time:
            yield from _over_time(one.finding, period)
        for change in one.changes:
            yield from _change(one.finding, change)


def name_of(judge: Judge) -> str:
    """How a reader is named in a file: as records do, or by the number of their pseudonym."""
    return judge.label or f"reader {judge.number}"


_Names = tuple[str, str, str, str, str]


def _with_model(finding: str, row: WithModel) -> Iterator[FlatFigure]:
    names = ("reader-model", finding, name_of(row.reader), MODEL, "")
    yield from _pair(names, row.pair)
    yield _figure(names, "auc-confidence", row.confidence.area)
    yield _figure(names, "auc-probability", row.probability.area)
    yield _figure(names, "region-iou", row.overlap)
    yield _figure(names, "regions-kept", row.accepted)


def _between(finding: str, row: Between) -> Iterator[FlatFigure]:
    first, second = name_of(row.first), name_of(row.second)
    names = ("reader-reader", finding, first, second, "")
    yield from _pair(names, row.pair)
    yield _figure(names, "auc-confidence", row.first_grades)
    yield _figure(("reader-reader", finding, second, first, ""), "auc-confidence", row.second_grades)
    yield _figure(names, "region-iou", row.overlap)


def _over_time(finding: str, row: OverTime) -> Iterator[FlatFigure]:
    start = row.start.isoformat()
    yield from _pair(("over-time", finding, ALL_READERS, MODEL, start), row.model)
    yield _figure(("over-time", finding, ALL_READERS, ALL_READERS, start), "alpha", row.alpha)


def _change(finding: str, row: Change) -> Iterator[FlatFigure]:
    names = ("blind-aided", finding, name_of(row.reader), MODEL, "")
    for measure in ("kept_with", "left", "kept_against", "joined", "settled", "unsettled"):
        yield _count(names, measure.replace("_", "-"), getattr(row, measure), row.cases)
    yield _figure(names, "share-toward", row.toward)
    yield _figure(names, "share-away", row.away)


def _pair(names: _Names, pair: PairAgreement) -> Iterator[FlatFigure]:
    for measure in ("both", "first_only", "second_only", "neither"):
        yield _count(names, measure.replace("_", "-"), getattr(pair, measure), pair.cases, pair.groups)
    yield _figure(names, "kappa", pair.kappa)
    yield _figure(names, "agreement", pair.percent)
    yield _figure(names, "pabak", pair.adjusted)


def _figure(names: _Names, measure: str, figure: Figure) -> FlatFigure:
    doubt = "" if figure.doubt is None else str(figure.doubt)
    return FlatFigure(*names, measure, figure.value, figure.low, figure.high, figure.cases, figure.groups, doubt)


def _count(names: _Names, measure: str, count: int, cases: int, patients: int = 0) -> FlatFigure:
    return FlatFigure(*names, measure, float(count), None, None, cases, patients, "")
