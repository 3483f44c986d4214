"""Charts of a report as drawings for a PDF."""

from __future__ import annotations

from typing import Any

from reportlab.graphics.shapes import Circle, Drawing, Line, PolyLine, String
from reportlab.lib import colors

from medcam.service.report.document import Curves, Forest
from medcam.service.report.html import COLOURS

_GREY = colors.HexColor("#9aa5b1")
_GRID = colors.HexColor("#e3e8ee")
_INK = colors.HexColor("#1c2430")


def draw_chart(chart: Forest | Curves, width: float, font: str) -> Drawing:
    """Draws a chart.

    Args:
        chart: The chart.
        width: Of the drawing, in points.
        font: Name of a registered font.
    """
    return _forest(chart, width, font) if isinstance(chart, Forest) else _curves(chart, width, font)


def _forest(chart: Forest, width: float, font: str) -> Drawing:
    row, left, bottom = 13.0, 150.0, 30.0
    drawing = Drawing(width, bottom + row * len(chart.marks) + 24)
    top, right = bottom + row * len(chart.marks), width - 90.0

    def place(value: float) -> float:
        share = (value - chart.low) / (chart.high - chart.low)
        return left + (right - left) * min(max(share, 0.0), 1.0)

    drawing.add(String(0, top + 12, chart.title, fontName=font, fontSize=8.5, fillColor=_INK))
    for step in range(6):
        value = chart.low + (chart.high - chart.low) * step / 5
        drawing.add(Line(place(value), bottom, place(value), top, strokeColor=_GRID, strokeWidth=0.5))
        drawing.add(_label(place(value), bottom - 9, f"{value:.2g}", font, anchor="middle"))
    if chart.reference is not None:
        x = place(chart.reference)
        drawing.add(Line(x, bottom, x, top, strokeColor=colors.HexColor(COLOURS[1]), strokeDashArray=[2, 2]))
    drawing.add(_label((left + right) / 2, 6, chart.x_label, font, anchor="middle"))
    for number, mark in enumerate(chart.marks):
        y = top - row * (number + 0.5)
        colour = _GREY if mark.faint else colors.HexColor(COLOURS[0])
        drawing.add(_label(left - 6, y - 2.5, mark.label, font, anchor="end"))
        if mark.low is not None and mark.high is not None:
            drawing.add(Line(place(mark.low), y, place(mark.high), y, strokeColor=colour))
        drawing.add(Circle(place(mark.value), y, 2.6, fillColor=colour, strokeColor=colour))
        interval = "" if mark.low is None or mark.high is None else f" ({mark.low:.2f} to {mark.high:.2f})"
        drawing.add(_label(right + 6, y - 2.5, f"{mark.value:.2f}{interval}", font))
    return drawing


def _curves(chart: Curves, width: float, font: str) -> Drawing:
    side, left, bottom = 190.0, 40.0, 34.0
    drawing = Drawing(width, bottom + side + 26)
    drawing.add(String(0, bottom + side + 12, chart.title, fontName=font, fontSize=8.5, fillColor=_INK))

    def place(x: float, y: float) -> tuple[float, float]:
        return left + side * x, bottom + side * y

    for step in range(6):
        share = step / 5
        drawing.add(Line(*place(share, 0), *place(share, 1), strokeColor=_GRID, strokeWidth=0.5))
        drawing.add(Line(*place(0, share), *place(1, share), strokeColor=_GRID, strokeWidth=0.5))
        drawing.add(_label(place(share, 0)[0], bottom - 9, f"{share:.1f}", font, anchor="middle"))
        drawing.add(_label(left - 4, place(0, share)[1] - 2.5, f"{share:.1f}", font, anchor="end"))
    drawing.add(Line(*place(0, 0), *place(1, 1), strokeColor=_GREY, strokeDashArray=[2, 2]))
    drawing.add(_label(left + side / 2, 8, f"{chart.x_label}; upwards: {chart.y_label}", font, anchor="middle"))
    for number, curve in enumerate(chart.curves):
        colour = colors.HexColor(COLOURS[number % len(COLOURS)])
        points: list[float] = [end for point in curve.points for end in place(*point)]
        if len(points) > 2:
            drawing.add(PolyLine(points, strokeColor=colour, strokeWidth=1.1))
        for (x, _), (low, high) in zip(curve.points, curve.intervals or (), strict=False):
            drawing.add(Line(*place(x, low), *place(x, high), strokeColor=colour, strokeWidth=0.5))
        if len(chart.curves) == 1:
            return drawing
        y = bottom + side - 8 - 13 * number
        drawing.add(Line(left + side + 22, y + 3, left + side + 38, y + 3, strokeColor=colour, strokeWidth=1.6))
        drawing.add(_label(left + side + 44, y, curve.name, font))
    return drawing


def _label(x: float, y: float, text: str, font: str, *, anchor: str = "start") -> Any:  # noqa: ANN401  a library's shape
    return String(x, y, text, fontName=font, fontSize=6.8, fillColor=_INK, textAnchor=anchor)
