"""Small pieces of HTML with their numbers in words beside them. No Streamlit here.

Names and messages come from files, so every text is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~:$&])")


def markdown_text(text: str) -> str:
    """A text from a file as it must be written to stand unchanged in Markdown."""
    return _MARKDOWN.sub(r"\\\1", text)


def distinct(labels: Mapping[str, str]) -> dict[str, str]:
    """Labels by the key of what they name, those that occur again with a number behind: a choice goes by its label."""
    seen: dict[str, int] = {}
    told = {}
    for key, label in labels.items():
        seen[label] = seen.get(label, 0) + 1
        told[key] = label if seen[label] == 1 else f"{label} ({seen[label]})"
    return told


def signed(value: float) -> str:
    """A value in logit units with its sign, three decimals; no sign where nothing but zeros would follow it."""
    words = f"{value:+.3f}"
    return "0.000" if words[1:] == "0.000" else words.replace("-", "−")


def title(name: str, *details: str) -> str:
    """The title over a film: what it is, and details beside it; empty ones are left out."""
    told = " · ".join(detail for detail in details if detail)
    return f'<p class="film-title"><b>{escape(name)}</b> {escape(told)}</p>'


def badge(present: bool | None, word: str) -> str:
    """Present, absent or withheld (None), as a word in a frame.

    Args:
        present: Which of them.
        word: The word in the reader's language.
    """
    kind = "withheld" if present is None else "present" if present else "absent"
    return f'<span class="badge {kind}">{escape(word)}</span>'


def probability_bar(probability: float, threshold: float, words: str) -> str:
    """A bar of the probability with a mark at the threshold.

    Args:
        probability: 0 to 1.
        threshold: 0 to 1.
        words: Both numbers in words.
    """
    over = " over" if probability >= threshold else ""
    words = escape(words)
    return (
        f'<div class="bar{over}" role="img" aria-label="{words}" title="{words}">'
        f'<span style="width:{100 * probability:.1f}%"></span><i style="left:{100 * threshold:.1f}%"></i></div>'
    )


def balance(caption: str, rows: Sequence[tuple[str, float]], total: tuple[str, float]) -> str:
    """A table of signed values with bars to both sides of zero, and their sum below.

    Args:
        caption: What the values are, read out before the table.
        rows: Label and value.
        total: Label and value of the sum.
    """
    largest = max((abs(value) for _, value in (*rows, total)), default=0.0) or 1.0
    body = "".join(_balance_row(label, value, largest) for label, value in rows)
    return (
        f'<div class="scroll"><table class="medcam balance"><caption>{escape(caption)}</caption><tbody>{body}</tbody>'
        f"<tfoot>{_balance_row(*total, largest)}</tfoot></table></div>"
    )


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[str]], *, marked: int | None = None) -> str:
    """A table.

    Args:
        caption: Read out before the table.
        head: Column titles, plain text; empty for none.
        rows: Cells as HTML that is already escaped; the first of a row is its title.
        marked: Row to set apart, counted from 0.
    """
    titles = "".join(f'<th scope="col">{escape(title)}</th>' for title in head)
    titled = f"<thead><tr>{titles}</tr></thead>" if titles else ""
    body = "".join(_row(cells, number == marked) for number, cells in enumerate(rows))
    return (
        f'<div class="scroll"><table class="medcam"><caption>{escape(caption)}</caption>'
        f"{titled}<tbody>{body}</tbody></table></div>"
    )


def facts(pairs: Iterable[tuple[str, str]], *, line: bool = False) -> str:
    """A list of names and values, plain text, below each other or in one line; empty values are left out."""
    items = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in pairs if value)
    return f'<dl class="medcam{" line" if line else ""}">{items}</dl>'


def _row(cells: Sequence[str], marked: bool) -> str:
    first, *others = cells
    rest = "".join(f"<td>{cell}</td>" for cell in others)
    return f'<tr{" class=marked" if marked else ""}><th scope="row">{first}</th>{rest}</tr>'


def _balance_row(label: str, value: float, largest: float) -> str:
    share = 50.0 * min(abs(value) / largest, 1.0)
    side, kind = ("left:50%", "for") if value >= 0 else (f"left:{50 - share:.1f}%", "against")
    return (
        f'<tr><th scope="row">{escape(label)}</th><td class="number">{signed(value)}</td>'
        f'<td class="bars" aria-hidden="true"><div><span class="{kind}" style="{side};width:{share:.1f}%"></span></div>'
        "</td></tr>"
    )
