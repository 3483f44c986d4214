"""Markdown of figures, the same on every page."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_SHARES = frozenset({"error", "error_tuned", "pointing", "covered"})
"""Figures of an arm of a comparison that are told in per cent."""


def table(header: Sequence[str], rows: Iterable[Sequence[str]], *, words: bool = False) -> str:
    """A Markdown table; columns after the first are flush right, unless they hold words."""
    lines = [list(header), ["---", *["---" if words else "---:"] * (len(header) - 1)], *map(list, rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def interval(figure: Mapping[str, Any] | None, digits: int = 3) -> str:
    """A figure with its interval, such as ".812 (.790-.834)"; a dash for none."""
    if figure is None or not all(math.isfinite(figure[key]) for key in ("value", "low", "high")):
        return "-"
    low, high = number(figure["low"], digits), number(figure["high"], digits)
    return f"{number(figure['value'], digits)} ({low} to {high})"


def share(figure: Mapping[str, Any] | None, digits: int = 1) -> str:
    """A share with its interval in per cent, such as "43.0 % (40.1 to 45.9)"; a dash for none."""
    if figure is None or not math.isfinite(figure["value"]):
        return "-"
    value, low, high = (f"{100 * figure[key]:.{digits}f}" for key in ("value", "low", "high"))
    return f"{value} % ({low} to {high})"


def cells(arm: Mapping[str, Any], *names: str) -> list[str]:
    """Figures of an arm of a comparison as cells of a table: shares in per cent, the others as numbers."""
    return [(share if name in _SHARES else interval)(arm[name]) for name in names]


def number(value: float, digits: int = 3) -> str:
    """A number without the 0 before the point; a dash where it is none."""
    if not math.isfinite(value):
        return "-"
    text = f"{value:.{digits}f}"
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text


def apart(first: Mapping[str, float], second: Mapping[str, float]) -> bool:
    """Whether the intervals of two figures have no value in common."""
    return first["low"] > second["high"] or second["low"] > first["high"]
