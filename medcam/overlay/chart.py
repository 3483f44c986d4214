"""Bars with intervals as SVG text: figures of places and causes without a plotting library."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from medcam.core.errors import InvalidValueError

WIDTH, LABELS, ROW, TITLE, FOOT = 430, 150, 18, 34, 30
COLUMNS = 2
PLAIN, MARKED, INK, GRID = "#7f8c99", "#d55e00", "#222222", "#dddddd"


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its label, its value with an interval, and whether it stands out."""

    label: str
    value: float
    low: float
    high: float
    marked: bool = False

    def __post_init__(self) -> None:
        if not (0.0 <= self.low <= self.value <= self.high and math.isfinite(self.high)):
            raise InvalidValueError("a bar needs 0 <= low <= value <= high, all finite")


def bar_chart(
    charts: Mapping[str, Sequence[Bar]], *, x_label: str, reference: float | None = None, marked_label: str = ""
) -> str:
    """Draws charts of horizontal bars, two beside each other, each with a scale of its own.

    Args:
        charts: Title -> bars, from top to bottom.
        x_label: What the bars measure.
        reference: A value at which every chart gets a dashed line.
        marked_label: What bars that stand out mean; a legend says so.

    Returns:
        An SVG document.
    """
    rows = max((len(bars) for bars in charts.values()), default=0)
    height = TITLE + ROW * rows + FOOT
    down = math.ceil(len(charts) / COLUMNS)
    parts = []
    for place, (title, bars) in enumerate(charts.items()):
        left, top = (place % COLUMNS) * WIDTH, (place // COLUMNS) * height
        parts.append(f'<g transform="translate({left} {top})">{_chart(title, bars, reference)}</g>')
    total = down * height + 34
    legend = _text(12, total - 12, x_label)
    if marked_label:
        legend += f'<rect x="{WIDTH + 12}" y="{total - 21}" width="12" height="10" fill="{MARKED}"/>'
        legend += _text(WIDTH + 30, total - 12, marked_label)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{COLUMNS * WIDTH}" height="{total}" '
        f'font-family="sans-serif" font-size="11" fill="{INK}">'
        f'<rect width="100%" height="100%" fill="white"/>{"".join(parts)}{legend}</svg>\n'
    )


def _chart(title: str, bars: Sequence[Bar], reference: float | None) -> str:
    top = max([bar.high for bar in bars] + [reference or 0.0]) or 1.0
    bottom = TITLE + ROW * len(bars)
    parts = [_text(LABELS, 20, title, size=13)]
    for value in _ticks(top):
        x = _x(value, top)
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TITLE}" y2="{bottom}" stroke="{GRID}"/>')
        parts.append(_text(x, bottom + 14, f"{value:g}", anchor="middle"))
    for place, bar in enumerate(bars):
        parts.append(_bar(bar, TITLE + ROW * place, top))
    if reference is not None:
        x = _x(reference, top)
        line = f'x1="{x:.1f}" x2="{x:.1f}" y1="{TITLE}" y2="{bottom}" stroke="{INK}" stroke-dasharray="4 3"'
        parts.append(f"<line {line}/>")
    return "".join(parts)


def _bar(bar: Bar, y: float, top: float) -> str:
    middle, zero = y + ROW / 2, _x(0.0, top)
    low, high = _x(bar.low, top), _x(bar.high, top)
    colour = MARKED if bar.marked else PLAIN
    width = _x(bar.value, top) - zero
    return (
        _text(LABELS - 6, middle + 4, bar.label, anchor="end")
        + f'<rect x="{zero:.1f}" y="{y + 3:.1f}" width="{width:.1f}" height="{ROW - 6}" fill="{colour}"/>'
        + f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{middle:.1f}" y2="{middle:.1f}" stroke="{INK}"/>'
        + "".join(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{middle - 3:.1f}" y2="{middle + 3:.1f}" stroke="{INK}"/>'
            for x in (low, high)
        )
    )


def _x(value: float, top: float) -> float:
    return LABELS + (WIDTH - LABELS - 24) * value / top


def _ticks(top: float) -> list[float]:
    """Round values from 0 on, three to six of them."""
    step = 10.0 ** math.floor(math.log10(top))
    step = next(step * part for part in (0.1, 0.2, 0.5, 1.0, 2.0) if top / (step * part) <= 5.0)
    return [step * count for count in range(int(top / step) + 1)]


def _text(x: float, y: float, text: str, *, anchor: str = "start", size: int = 11) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}">{escape(text)}</text>'
