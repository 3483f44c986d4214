"""The report as a PDF: fonts inside, figures drawn as lines, the same bytes for the same document."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from functools import cache
from itertools import groupby
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Image, KeepTogether, LongTable, SimpleDocTemplate, Spacer, TableStyle
from reportlab.platypus import Paragraph as Words
from reportlab.platypus import Table as PlainTable

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
)
from medcam.service.report.pdf_charts import draw_chart

REGULAR, BOLD = "Vera", "VeraBd"
MARGIN = 18 * mm
WIDTH = A4[0] - 2 * MARGIN
INK, SOFT, LINE = colors.HexColor("#1c2430"), colors.HexColor("#5a6675"), colors.HexColor("#d8dee6")
_TINT = {
    Status.MEETS: "#0c5132",
    Status.FAILS: "#8a1c10",
    Status.UNJUDGED: "#6b4a00",
    Status.NOT_ASSESSED: "#3c4653",
}
_KNOWN_BEYOND_LATIN = frozenset("–—‘’“”•…≤≥≈×")


def report_pdf(document: Document) -> bytes:
    """The whole file.

    Args:
        document: The report.
    """
    styles = _styles()
    story: list[Any] = [Words(_text(document.title), styles["title"])]
    story += [Words(_text(line), styles["soft"]) for line in (*document.lines, f"Made {document.made}.", RESEARCH_USE)]
    for section in document.sections:
        story += _section(section, styles)
    out = io.BytesIO()
    frame = SimpleDocTemplate(
        out, pagesize=A4, leftMargin=MARGIN, rightMargin=MARGIN, topMargin=MARGIN, bottomMargin=MARGIN,
        title=_plain(document.title), author="medcam", subject=RESEARCH_USE, invariant=1, lang="en",
    )  # fmt: skip
    foot = _foot(document.title)
    frame.build(story, onFirstPage=foot, onLaterPages=foot)
    return out.getvalue()


@cache
def _styles() -> dict[str, ParagraphStyle]:
    for name in (REGULAR, BOLD):
        pdfmetrics.registerFont(TTFont(name, f"{name}.ttf"))
    base = ParagraphStyle("base", fontName=REGULAR, fontSize=8.5, leading=12, textColor=INK, spaceAfter=4)
    return {
        "base": base,
        "title": ParagraphStyle("title", base, fontName=BOLD, fontSize=18, leading=23, spaceAfter=6),
        "heading": ParagraphStyle("heading", base, fontName=BOLD, fontSize=12.5, leading=16, spaceBefore=14),
        "soft": ParagraphStyle("soft", base, textColor=SOFT, spaceAfter=1),
        "cell": ParagraphStyle("cell", base, fontSize=6.8, leading=8.6, spaceAfter=0),
        "head": ParagraphStyle("head", base, fontName=BOLD, fontSize=6.8, leading=8.6, spaceAfter=0),
        "caption": ParagraphStyle("caption", base, fontName=BOLD, fontSize=8, spaceBefore=6, spaceAfter=2),
        "command": ParagraphStyle("command", base, backColor=colors.HexColor("#f3f6f9"), borderPadding=4, spaceAfter=8),
    }


def _section(section: Section, styles: dict[str, ParagraphStyle]) -> list[Any]:
    heading = Words(_text(section.title), styles["heading"])
    found = list(_flowables(section, styles))
    return [KeepTogether([heading, *found[:1]]), *found[1:]]


def _flowables(section: Section, styles: dict[str, ParagraphStyle]) -> Iterator[Any]:
    if section.verdicts:
        yield _verdicts(section, styles)
    for alike, blocks in groupby(
        section.blocks, key=lambda block: isinstance(block, Curves) and len(block.curves) == 1
    ):
        if alike:
            charts = [draw_chart(block, WIDTH / 2, REGULAR) for block in blocks if isinstance(block, Curves)]
            pairs = [[*charts[place : place + 2], ""][:2] for place in range(0, len(charts), 2)]
            yield PlainTable(pairs, colWidths=[WIDTH / 2, WIDTH / 2], hAlign="LEFT")
        else:
            for block in blocks:
                yield from _block(block, styles)


def _block(block: Block, styles: dict[str, ParagraphStyle]) -> Iterator[Any]:
    makers: dict[type, Callable[[Any], list[Any]]] = {
        Paragraph: lambda one: [Words(_text(one.text), styles["base"])],
        Command: lambda one: [Words(_text(one.text), styles["command"])],
        Table: lambda one: _table(one, styles),
        Picture: lambda one: [_picture(one, styles)],
        Forest: lambda one: [draw_chart(one, WIDTH, REGULAR), Spacer(1, 6)],
        Curves: lambda one: [draw_chart(one, WIDTH, REGULAR), Spacer(1, 6)],
    }
    yield from makers[type(block)](block)


def _picture(picture: Picture, styles: dict[str, ParagraphStyle]) -> Any:  # noqa: ANN401  a library's flowable
    width = 0.78 * WIDTH
    image = Image(io.BytesIO(picture.jpeg), width=width, height=width * picture.height / picture.width)
    image.hAlign = "LEFT"
    return KeepTogether([image, Words(_text(picture.caption), styles["soft"]), Spacer(1, 8)])


def _table(table: Table, styles: dict[str, ParagraphStyle]) -> list[Any]:
    cells = [[Words(_text(cell), styles["head"]) for cell in table.head]]
    cells += [[Words(_text(cell), styles["cell"]) for cell in row] for row in table.rows]
    caption = [Words(_text(table.caption), styles["caption"])] if table.caption else []
    return [*caption, _grid(cells, _widths(table)), Spacer(1, 6)]


def _verdicts(section: Section, styles: dict[str, ParagraphStyle]) -> Any:  # noqa: ANN401  a library's flowable
    cells = [[Words(word, styles["head"]) for word in ("judged", "verdict", "number", "rule")]]
    for one in section.verdicts:
        status = f'<font name="{BOLD}" color="{_TINT[one.status]}">{one.status.value}</font>'
        row = (_text(one.what), status, _text(one.number), _text(one.rule))
        cells.append([Words(cell, styles["cell"]) for cell in row])
    return _grid(cells, [0.22 * WIDTH, 0.17 * WIDTH, 0.27 * WIDTH, 0.34 * WIDTH])


def _grid(cells: list[list[Any]], widths: list[float]) -> Any:  # noqa: ANN401  a library's flowable
    style = TableStyle(
        [
            ("BACKGROUND", (0, 0), (-1, 0), colors.HexColor("#f3f6f9")),
            ("LINEBELOW", (0, 0), (-1, -1), 0.4, LINE),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (-1, -1), 4),
            ("RIGHTPADDING", (0, 0), (-1, -1), 4),
            ("TOPPADDING", (0, 0), (-1, -1), 2),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
        ]
    )
    return LongTable(cells, colWidths=widths, repeatRows=1, style=style, hAlign="LEFT", spaceAfter=6)


def _widths(table: Table) -> list[float]:
    """Columns as wide as their texts ask for, within bounds."""
    rows = (table.head, *table.rows)
    wanted = [_wanted([row[place] for row in rows]) for place in range(len(table.head))]
    return [WIDTH * one / sum(wanted) for one in wanted]


def _wanted(texts: list[str]) -> float:
    longest = max(len(text) for text in texts)
    word = max(len(word) for text in texts for word in (text.split() or [""]))
    return max(min(longest, 34), min(1.3 * word, 30), 6)


def _foot(title: str) -> Callable[[Any, Any], None]:
    def draw(canvas: Any, page: Any) -> None:  # noqa: ANN401  a library's objects
        canvas.setFont(REGULAR, 6.5)
        canvas.setFillColor(SOFT)
        canvas.drawString(MARGIN, 10 * mm, f"{_plain(title)}. {RESEARCH_USE}")
        canvas.drawRightString(A4[0] - MARGIN, 10 * mm, f"page {page.page}")

    return draw


def _text(text: str) -> str:
    return escape(_plain(text))


def _plain(text: str) -> str:
    """Letters that the fonts lack become question marks, not empty boxes."""
    return "".join(one if ord(one) < 0x100 or one in _KNOWN_BEYOND_LATIN else "?" for one in text)
