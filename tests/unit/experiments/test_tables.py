"""Figures in words."""

from __future__ import annotations

import math

import pytest

from medcam.experiments.tables import apart, interval, number, share, table


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.8123, ".812"), (1.0, "1.000"), (-0.25, "-.250"), (12.3456, "12.346"), (10.05, "10.050"), (math.nan, "-")],
)
def test_numbers(value: float, text: str) -> None:
    assert number(value) == text


def test_intervals_and_shares() -> None:
    figure = {"value": 0.43, "low": 0.4, "high": 0.459}
    assert interval(figure) == ".430 (.400 to .459)"
    assert share(figure) == "43.0 % (40.0 to 45.9)"
    assert interval(None) == share(None) == "-"
    assert share({"value": math.nan, "low": math.nan, "high": math.nan}) == "-"


def test_intervals_that_touch_are_not_apart() -> None:
    low, high = {"low": 0.1, "high": 0.2}, {"low": 0.2, "high": 0.3}
    assert not apart(low, high)
    assert apart(low, {"low": 0.21, "high": 0.3})
    assert apart({"low": 0.21, "high": 0.3}, low)


def test_tables_are_markdown() -> None:
    assert table(("a", "b"), [("x", "1"), ("y", "2")]).splitlines() == [
        "| a | b |",
        "| --- | ---: |",
        "| x | 1 |",
        "| y | 2 |",
    ]
