"""Figures with their intervals, as numbers and as marks on a common scale. No Streamlit here."""

from __future__ import annotations

from html import escape

from medcam.service.agreement.figures import Figure

LEAST, MOST = -0.4, 1.0
"""Ends of the scale of kappa; what lies below is drawn at its end."""
NONE = "–"


def number(figure: Figure, doubt: str = "", *, percent: bool = False) -> str:
    """A figure with its interval below it, or what is to be said where there is none.

    Args:
        figure: The figure.
        doubt: Words for `figure.doubt`; empty where nothing is to be said.
        percent: Whether it is told in per cent.
    """
    if figure.value is None:
        return f'<span class="quiet">{NONE}</span>{_small(doubt)}'
    value = f'<span class="number">{_words(figure.value, percent)}</span>'
    if figure.low is None or figure.high is None:
        return f"{value}{_small(doubt)}"
    return f"{value}{_small(f'{_words(figure.low, percent)} – {_words(figure.high, percent)}')}"


def interval_mark(figure: Figure, words: str) -> str:
    """A point with its interval on the scale of kappa; a ring where there is no interval, nothing where no figure.

    Args:
        figure: The figure.
        words: What is read out.
    """
    if figure.value is None:
        return '<div class="forest" aria-hidden="true"><u></u></div>'
    point = f'<b class="{"open" if figure.low is None else "shut"}" style="left:{_place(figure.value):.1f}%"></b>'
    line = ""
    if figure.low is not None and figure.high is not None:
        left, right = _place(figure.low), _place(figure.high)
        line = f'<i style="left:{left:.1f}%;width:{right - left:.1f}%"></i>'
    told = escape(words)
    return f'<div class="forest" role="img" aria-label="{told}" title="{told}"><u></u>{line}{point}</div>'


def plain(figure: Figure, *, percent: bool = False) -> str:
    """A figure with its interval in one line of text."""
    if figure.value is None:
        return NONE
    value = _words(figure.value, percent)
    if figure.low is None or figure.high is None:
        return value
    return f"{value} ({_words(figure.low, percent)} – {_words(figure.high, percent)})"


def _words(value: float, percent: bool) -> str:
    words = f"{100 * value:.0f} %" if percent else f"{value:.2f}"
    return ("0.00" if words == "-0.00" else words).replace("-", "−")


def _small(words: str) -> str:
    return f"<small>{escape(words)}</small>" if words else ""


def _place(value: float) -> float:
    return 100.0 * min(max((value - LEAST) / (MOST - LEAST), 0.0), 1.0)
