"""Figures in words, the same everywhere in a report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from medcam.evaluate.agreement_figure import Figure
from medcam.service.report.document import Mark

_DOUBTS = {
    "no-cases": "no cases",
    "one-category": "one kind of film only",
    "one-sided": "one side gives one answer only",
    "few": "too few patients for an interval",
    "no-spread": "no spread: no interval",
    "unstable": "too rare for an interval",
}


def words(figure: Figure, digits: int = 2) -> str:
    """A figure with its interval, or why it has none."""
    if figure.value is None:
        return f"- ({_DOUBTS.get(str(figure.doubt), str(figure.doubt))})"
    value = f"{figure.value:.{digits}f}"
    if figure.low is None or figure.high is None:
        return f"{value} ({_DOUBTS.get(str(figure.doubt), 'no interval')})"
    return f"{value} ({figure.low:.{digits}f} to {figure.high:.{digits}f})"


def mark(label: str, figure: Figure, *, faint: bool = False) -> Mark | None:
    """A figure as a mark of a chart; None where there is none."""
    if figure.value is None:
        return None
    return Mark(label, figure.value, figure.low, figure.high, faint or figure.low is None)


def cell(value: Any) -> str:  # noqa: ANN401  JSON values
    """A JSON value in a table."""
    if isinstance(value, Mapping) and "value" in value:
        low, high = value.get("low"), value.get("high")
        tail = "" if low is None or high is None else f" ({cell(low)} to {cell(high)})"
        return f"{cell(value['value'])}{tail}"
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "-"}[value]
    if isinstance(value, float):
        return f"{value:.3g}"
    return ", ".join(map(cell, value)) if isinstance(value, list) else str(value)
