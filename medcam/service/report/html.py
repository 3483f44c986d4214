"""The report as one HTML file: nothing is fetched, figures answer to the pointer."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from html import escape
from typing import Any

from plotly.offline import get_plotlyjs

from medcam.core.explanation import RESEARCH_USE
from medcam.service.report.document import (
    Block,
    Command,
    Curves,
    Document,
    Forest,
    Paragraph,
    Picture,
    Section,
    Status,
    Table,
    Verdict,
)

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#444444", "#999933", "#882255")
_CLASS = {Status.MEETS: "meets", Status.FAILS: "fails", Status.UNJUDGED: "unjudged", Status.NOT_ASSESSED: "missing"}
_SIGN = {Status.MEETS: "✓", Status.FAILS: "✗", Status.UNJUDGED: "?", Status.NOT_ASSESSED: "–"}
_STYLE = """
:root{--ink:#1c2430;--soft:#5a6675;--line:#d8dee6;--blue:#0b4f83}
*{box-sizing:border-box}
body{margin:0;font:16px/1.5 system-ui,"Segoe UI",Roboto,Arial,sans-serif;color:var(--ink);background:#fff}
header{background:#0b2d4a;color:#fff;padding:2rem max(1.5rem,calc(50vw - 560px))}
header h1{margin:0 0 .4rem;font-size:1.9rem}header p{margin:.15rem 0;color:#d5e3ef}
main{max-width:1120px;margin:0 auto;padding:1rem 1.5rem 4rem}
nav{columns:3;margin:1rem 0 2rem;padding:.8rem 1.2rem;background:#f3f6f9;border-radius:6px}nav a{display:block}
a{color:var(--blue)}h2{margin:2.6rem 0 .6rem;padding-bottom:.3rem;border-bottom:2px solid var(--line)}
p{max-width:78ch}.table{overflow-x:auto;margin:1rem 0}table{border-collapse:collapse;font-size:.9rem}
caption{text-align:left;font-weight:600;padding:.3rem 0}
th,td{padding:.35rem .7rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
th{background:#f3f6f9}td{font-variant-numeric:tabular-nums}
code{display:block;background:#f3f6f9;padding:.5rem .8rem;border-radius:4px;overflow-x:auto;margin:.4rem 0}
.status{display:inline-block;white-space:nowrap;padding:.1rem .55rem;border-radius:1rem;
font-size:.82rem;font-weight:600}
.meets{background:#d9f2e3;color:#0c5132}.fails{background:#fbdcd8;color:#8a1c10}
.unjudged{background:#fff0cc;color:#6b4a00}.missing{background:#e6eaef;color:#3c4653}
.figures,.pictures{display:flex;flex-wrap:wrap;gap:1rem}.chart{width:520px;max-width:100%}
figure{margin:0;width:100%;max-width:900px}figure img{width:100%;height:auto;border:1px solid var(--line)}
figcaption{font-size:.85rem;color:var(--soft)}footer{color:var(--soft);margin-top:3rem}
@media print{nav{display:none}h2{break-after:avoid}table,figure{break-inside:avoid}}
"""


def report_html(document: Document) -> str:
    """The whole page.

    Args:
        document: The report.
    """
    charts = _Charts()
    body = "".join(_section(section, charts) for section in document.sections)
    links = "".join(f'<a href="#{each.id}">{escape(each.title)}</a>' for each in document.sections)
    lines = "".join(f"<p>{escape(line)}</p>" for line in document.lines)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(document.title)}</title><style>{_STYLE}</style>"
        f"<script>{get_plotlyjs()}</script></head>\n<body><header><h1>{escape(document.title)}</h1>{lines}"
        f"<p>Made {escape(document.made)}. {RESEARCH_USE}</p></header><main>"
        f'<nav aria-label="Sections">{links}</nav>{body}'
        f"<footer>A map highlights; it never proves. {RESEARCH_USE}</footer></main>{charts.script()}</body></html>\n"
    )


class _Charts:
    """Charts of a page, drawn when it has been read."""

    def __init__(self) -> None:
        self.drawn: list[dict[str, Any]] = []

    def add(self, chart: Forest | Curves) -> str:
        data, layout = _forest(chart) if isinstance(chart, Forest) else _curves(chart)
        name = f"chart-{len(self.drawn) + 1}"
        self.drawn.append({"id": name, "data": data, "layout": layout})
        return f'<div class="chart" id="{name}" role="img" aria-label="{escape(chart.title)}"></div>'

    def script(self) -> str:
        content = json.dumps(self.drawn, separators=(",", ":")).replace("</", "<\\/")
        options = "{displaylogo:false,responsive:true,modeBarButtonsToRemove:['select2d','lasso2d']}"
        return f"<script>for(const c of {content})Plotly.newPlot(c.id,c.data,c.layout,{options});</script>"


def _section(section: Section, charts: _Charts) -> str:
    parts = [f'<section id="{section.id}"><h2>{escape(section.title)}</h2>']
    if section.verdicts:
        parts.append(_verdicts(section.verdicts))
    group: list[str] = []
    for block, following in zip(section.blocks, (*section.blocks[1:], None), strict=True):
        group.append(_block(block, charts))
        kinds = (_kind(block), _kind(following))
        if kinds[0] != kinds[1] or kinds[0] == "":
            inner = "".join(group)
            parts.append(f'<div class="{kinds[0]}">{inner}</div>' if kinds[0] else inner)
            group = []
    return "".join(parts) + "</section>\n"


def _kind(block: Block | None) -> str:
    if isinstance(block, Forest | Curves):
        return "figures"
    return "pictures" if isinstance(block, Picture) else ""


def _block(block: Block, charts: _Charts) -> str:
    if isinstance(block, Forest | Curves):
        return charts.add(block)
    makers: dict[type, Callable[[Any], str]] = {
        Paragraph: lambda one: f"<p>{escape(one.text)}</p>",
        Command: lambda one: f"<code>{escape(one.text)}</code>",
        Table: _table,
        Picture: _picture,
    }
    return makers[type(block)](block)


def _table(table: Table) -> str:
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in table.head)
    rows = "".join(f"<tr>{''.join(f'<td>{_cell(cell)}</td>' for cell in row)}</tr>" for row in table.rows)
    caption = f"<caption>{escape(table.caption)}</caption>" if table.caption else ""
    return f'<div class="table"><table>{caption}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'


def _cell(text: str) -> str:
    return _status(Status(text)) if text in set(Status) else escape(text)


def _verdicts(verdicts: tuple[Verdict, ...]) -> str:
    rows = "".join(
        f"<tr><td>{escape(one.what)}</td><td>{_status(one.status)}</td><td>{escape(one.number)}</td>"
        f"<td>{escape(one.rule)}</td></tr>"
        for one in verdicts
    )
    head = "".join(f'<th scope="col">{word}</th>' for word in ("judged", "verdict", "number", "rule"))
    return f'<div class="table"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'


def _status(status: Status) -> str:
    return f'<span class="status {_CLASS[status]}">{_SIGN[status]} {status.value}</span>'


def _picture(picture: Picture) -> str:
    data = base64.b64encode(picture.jpeg).decode("ascii")
    caption = escape(picture.caption)
    return (
        f'<figure><img alt="{caption}" width="{picture.width}" height="{picture.height}" '
        f'src="data:image/jpeg;base64,{data}"><figcaption>{caption}</figcaption></figure>'
    )


def _forest(chart: Forest) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    marks = chart.marks[::-1]
    error = {
        "type": "data",
        "symmetric": False,
        "array": [0.0 if one.high is None else one.high - one.value for one in marks],
        "arrayminus": [0.0 if one.low is None else one.value - one.low for one in marks],
        "color": "#5a6675",
    }
    data = [
        {
            "type": "scatter",
            "mode": "markers",
            "x": [one.value for one in marks],
            "y": [one.label for one in marks],
            "error_x": error,
            "marker": {"color": ["#9aa5b1" if one.faint else COLOURS[0] for one in marks], "size": 9},
            "hovertemplate": "%{y}: %{x:.3f}<extra></extra>",
        }
    ]
    shapes = []
    if chart.reference is not None:
        line = {"color": COLOURS[1], "dash": "dot"}
        shapes = [{"type": "line", "x0": chart.reference, "x1": chart.reference, "y0": 0, "y1": 1, "yref": "paper",
                   "line": line}]  # fmt: skip
    x_axis = {"range": [chart.low, chart.high + 0.02 * (chart.high - chart.low)], "title": {"text": chart.x_label}}
    height = 130 + 26 * len(marks)
    return data, {**_layout(chart.title, height), "xaxis": x_axis, "yaxis": {"automargin": True}, "shapes": shapes}


def _curves(chart: Curves) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    data: list[dict[str, Any]] = [
        {"x": [0, 1], "y": [0, 1], "mode": "lines", "line": {"color": "#9aa5b1", "dash": "dot"}, "showlegend": False,
         "hoverinfo": "skip"}
    ]  # fmt: skip
    for number, curve in enumerate(chart.curves):
        xs, ys = [x for x, _ in curve.points], [y for _, y in curve.points]
        one: dict[str, Any] = {"x": xs, "y": ys, "name": curve.name, "line": {"color": COLOURS[number % len(COLOURS)]}}
        if curve.intervals:
            low, high = ([end[side] for end in curve.intervals] for side in (0, 1))
            array = [top - y for top, y in zip(high, ys, strict=True)]
            minus = [y - bottom for bottom, y in zip(low, ys, strict=True)]
            one |= {"mode": "lines+markers", "error_y": {"type": "data", "array": array, "arrayminus": minus}}
        else:
            one["mode"] = "lines"
        data.append(one)
    axes = {"xaxis": {"range": [0, 1.01], "title": {"text": chart.x_label}},
            "yaxis": {"range": [0, 1.02], "title": {"text": chart.y_label}}}  # fmt: skip
    return data, {**_layout(chart.title, 430), **axes, "legend": {"font": {"size": 11}}}


def _layout(title: str, height: int) -> dict[str, Any]:
    return {
        # On the left: the buttons stand at the right, and a title in the middle of a narrow chart lies below them.
        "title": {"text": escape(title), "font": {"size": 15}, "x": 0.0, "xanchor": "left"},
        "height": height,
        "margin": {"l": 60, "r": 20, "t": 50, "b": 50},
        "template": {"layout": {"paper_bgcolor": "#fff", "plot_bgcolor": "#f8fafc"}},
        "font": {"family": "system-ui, Arial, sans-serif", "size": 12},
    }
