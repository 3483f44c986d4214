"""Agreement as charts: over time, and ROC curves. The browser draws them, with nothing from the network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from components.forest import LEAST, plain
from medcam.service.agreement.figures import Figure, OverTime, RocAgreement
from medcam.service.agreement.periods import Unit
from words import say

HEIGHT = 350
# Told apart by who does not see red and green alike, on dark and on light ground.
_COLOURS = ("#5a9fd4", "#d08b2f", "#4fa37c", "#b679a8", "#8a94a0", "#7f86d6", "#c2685c", "#9b9a3e")


def over_time(periods: Sequence[OverTime], unit: Unit) -> None:
    """Kappa with the model and alpha among readers, by period, with intervals."""
    with_model, among = say("agreement.series-model"), say("agreement.series-readers")
    rows = [_period(one, with_model, one.model.kappa) for one in periods]
    rows += [_period(one, among, one.alpha) for one in periods]
    shown = [row for row in rows if row["value"] is not None]
    st.html(f"<h4>{say(f'agreement.over-time.{unit}')}</h4>")
    x = {"field": "start", "type": "temporal", "timeUnit": "utcyearmonthdate", "title": None, "axis": _axis("%d %b %y")}
    colour = _colour([with_model, among], _COLOURS[:2])
    scale = {"domain": [LEAST, 1.0], "clamp": True}
    y = {
        "field": "value",
        "type": "quantitative",
        "scale": scale,
        "title": say("agreement.axis-kappa"),
        "axis": _axis(),
    }
    tip = [{"field": "day", "title": say("agreement.axis-period")}, {"field": "told", "title": " "}]
    shared = {"x": x, "color": colour, "tooltip": tip}
    layers: list[dict[str, Any]] = [
        {"mark": {"type": "rule", "strokeWidth": 2, "opacity": 0.45}, "encoding": {
            **shared, "y": {**y, "field": "low"}, "y2": {"field": "high"}}},
        {"mark": {"type": "line", "strokeWidth": 1.6}, "encoding": {**shared, "y": y}},
        {"mark": {"type": "point", "filled": True, "size": 46, "opacity": 1}, "encoding": {**shared, "y": y}},
    ]  # fmt: skip
    _draw({"data": {"values": shown}, "layer": layers, "height": HEIGHT}, say(f"agreement.over-time.{unit}"))


def curves(name: str, found: Mapping[str, RocAgreement]) -> None:
    """ROC curves of several readers.

    Args:
        name: "confidence" or "probability": what grades.
        found: By what the reader is called.
    """
    title = say(f"agreement.curve-{name}")
    st.html(f"<h4>{title}</h4>")
    drawn = {who: roc for who, roc in found.items() if roc.points}
    if not drawn:
        st.caption(say(f"agreement.no-curve-{name}"))
        return
    values = [
        {"x": x, "y": y, "step": step, "who": who, "told": f"AUC {plain(roc.area)}"}
        for who, roc in drawn.items()
        for step, (x, y) in enumerate(roc.points)
    ]
    x = {"field": "x", "type": "quantitative", "scale": {"domain": [0, 1]}, "title": say("agreement.axis-false"),
         "axis": _axis(count=5)}  # fmt: skip
    y = {**x, "field": "y", "title": say("agreement.axis-true")}
    chance = {"data": {"values": [{"x": 0, "y": 0}, {"x": 1, "y": 1}]}, "encoding": {"x": x, "y": y},
              "mark": {"type": "line", "strokeDash": [3, 4], "strokeWidth": 1, "color": _COLOURS[4]}}  # fmt: skip
    tip = [{"field": "who", "title": say("agreement.reader")}, {"field": "told", "title": " "}]
    order = {"field": "step", "type": "quantitative"}
    encoding = {"x": x, "y": y, "order": order, "color": _colour(list(drawn), _COLOURS, field="who"), "tooltip": tip}
    lines = {"data": {"values": values}, "encoding": encoding,
             "mark": {"type": "line", "strokeWidth": 1.8, "point": {"size": 22, "filled": True}}}  # fmt: skip
    _draw({"layer": [chance, lines], "height": HEIGHT}, title)


def _period(one: OverTime, series: str, figure: Figure) -> dict[str, Any]:
    told = say("agreement.read-out", measure=series, figure=plain(figure), cases=figure.cases, patients=figure.groups)
    start = one.start.isoformat()
    value = figure.value
    low, high = (value, value) if figure.low is None else (figure.low, figure.high)
    return {"start": start, "day": start, "series": series, "value": value, "low": low, "high": high, "told": told}


def _axis(form: str | None = None, *, count: int | None = None) -> dict[str, Any]:
    axis: dict[str, Any] = {"labelFontSize": 11, "titleFontSize": 11, "titleFontWeight": "normal", "labelOverlap": True}
    return axis | ({"format": form} if form else {}) | ({"tickCount": count} if count else {})


def _colour(names: Sequence[str], colours: Sequence[str], *, field: str = "series") -> dict[str, Any]:
    cycle = [colours[number % len(colours)] for number in range(len(names))]
    legend = {"orient": "bottom", "title": None, "labelFontSize": 11, "symbolType": "circle", "columns": 3}
    return {"field": field, "type": "nominal", "scale": {"domain": list(names), "range": cycle}, "legend": legend}


def _draw(spec: dict[str, Any], words: str) -> None:
    st.vega_lite_chart(spec=spec, alt=words)
