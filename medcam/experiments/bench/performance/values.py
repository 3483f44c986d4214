"""Estimates as plain values, and back as figures and words."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from medcam.experiments.bench.figure import Figure
from medcam.experiments.bench.statistics import Estimate

Found = dict[str, Any]
"""Plain values that JSON can hold."""


def plain(one: Estimate, scale: float = 1.0) -> dict[str, float]:
    """An estimate as JSON, in another unit where a scale is given."""
    return {"value": scale * one.value, "low": scale * one.low, "high": scale * one.high, "n": one.n}


def figure(
    name: str, one: Mapping[str, Any] | None, unit: str, baseline: float | None = None, note: str = ""
) -> Figure:
    """A figure of an estimate; None for one that could not be measured."""
    if one is None:
        return Figure(name, math.nan, unit, 0, baseline, note=note)
    return Figure(name, one["value"], unit, int(one["n"]), baseline, one["low"], one["high"], note)


def kept(figures: Iterable[Figure]) -> list[Found]:
    """Figures as plain values; `told` makes them figures again."""
    return [{field.name: getattr(one, field.name) for field in fields(Figure)} for one in figures]


def told(stored: Iterable[Found]) -> list[Figure]:
    """Figures of plain values."""
    return [Figure(**one) for one in stored]


def words(one: Mapping[str, Any] | None, digits: int = 2) -> str:
    """An estimate with its interval, such as "1.02 (1.01 to 1.03)"; without one where it comes of one measurement."""
    if one is None or not math.isfinite(one["value"]):
        return "-"
    value = f"{one['value']:.{digits}f}"
    return value if one["n"] < 2 else f"{value} ({one['low']:.{digits}f} to {one['high']:.{digits}f})"


def reached(one: Mapping[str, Any] | None, target: float, *, at_most: bool) -> str:
    """Whether a target is reached, by the value; "not told apart" where its interval holds the target."""
    if one is None or not math.isfinite(one["value"]):
        return "not measured"
    if one["n"] < 2:
        return f"{'yes' if _good(one['value'], target, at_most) else '**no**'}, by one measurement"
    if one["low"] < target < one["high"]:
        return "yes, not told apart" if _good(one["value"], target, at_most) else "no, not told apart"
    return "yes" if _good(one["value"], target, at_most) else "**no**"


def _good(value: float, target: float, at_most: bool) -> bool:
    return value <= target if at_most else value >= target
