"""Line charts as SVG text: a picture of a run without a plotting library."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import groupby
from xml.sax.saxutils import escape

WIDTH, HEIGHT, MARGIN = 420, 280, 48
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999933", "#882255")


def line_charts(charts: Mapping[str, Mapping[str, Sequence[float]]], *, x_label: str = "epoch") -> str:
    """Draws charts side by side.

    Args:
        charts: Title -> name of a line -> its values at 1, 2, ...; values that are not finite leave a gap.
        x_label: Caption of the horizontal axis.

    Returns:
        An SVG document.
    """
    parts = [_chart(title, lines, x_label, place * WIDTH) for place, (title, lines) in enumerate(charts.items())]
    size = f'width="{WIDTH * max(1, len(charts))}" height="{HEIGHT + 20 * _legend_rows(charts)}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="11">'
        f'<rect width="100%" height="100%" fill="white"/>{"".join(parts)}</svg>\n'
    )


def _legend_rows(charts: Mapping[str, Mapping[str, Sequence[float]]]) -> int:
    return max((math.ceil(len(lines) / 3) for lines in charts.values()), default=0)


def _chart(title: str, lines: Mapping[str, Sequence[float]], x_label: str, left: int) -> str:
    values = [value for line in lines.values() for value in line if math.isfinite(value)]
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    if high - low < 1e-9:
        low, high = low - 0.5, high + 0.5
    count = max((len(line) for line in lines.values()), default=1)

    def place(step: int, value: float) -> tuple[float, float]:
        x = left + MARGIN + (WIDTH - 1.5 * MARGIN) * (step / max(1, count - 1))
        return x, HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * (value - low) / (high - low)

    body = [
        f'<text x="{left + WIDTH / 2}" y="20" text-anchor="middle" font-size="13">{escape(title)}</text>',
        f'<text x="{left + WIDTH / 2}" y="{HEIGHT - 10}" text-anchor="middle">{escape(x_label)}</text>',
    ]
    for share in (0.0, 0.5, 1.0):
        value = low + share * (high - low)
        x, y = place(0, value)
        end = left + WIDTH - MARGIN / 2
        body.append(f'<line x1="{x:.1f}" x2="{end:.1f}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>')
        body.append(f'<text x="{x - 4:.1f}" y="{y + 4:.1f}" text-anchor="end">{value:.3g}</text>')
    for number, (name, line) in enumerate(lines.items()):
        colour = COLOURS[number % len(COLOURS)]
        body += _strokes([place(step, value) for step, value in enumerate(line)], colour)
        x, y = left + MARGIN + (number % 3) * 118, HEIGHT + 12 + 20 * (number // 3)
        body.append(f'<rect x="{x}" y="{y - 8}" width="10" height="3" fill="{colour}"/>')
        body.append(f'<text x="{x + 14}" y="{y - 3}">{escape(name)}</text>')
    return "".join(body)


def _strokes(points: Sequence[tuple[float, float]], colour: str) -> list[str]:
    """A line through points; it is broken where one is not finite, and a point without neighbours is a dot."""
    strokes = []
    for drawn, stretch in groupby(points, key=lambda point: math.isfinite(point[1])):
        found = [f"{x:.1f},{y:.1f}" for x, y in stretch]
        if drawn and len(found) > 1:
            strokes.append(f'<polyline points="{" ".join(found)}" fill="none" stroke="{colour}" stroke-width="1.6"/>')
        elif drawn:
            x, y = found[0].split(",")
            strokes.append(f'<circle cx="{x}" cy="{y}" r="2" fill="{colour}"/>')
    return strokes
