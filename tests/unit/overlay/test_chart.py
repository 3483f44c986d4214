from xml.etree import ElementTree

import pytest

from medcam.core.errors import InvalidValueError
from medcam.overlay.chart import MARKED, PLAIN, Bar, bar_chart

SVG = "{http://www.w3.org/2000/svg}"


def _bars(document: str) -> list[tuple[str, float]]:
    rectangles = ElementTree.fromstring(document).iter(f"{SVG}rect")
    return [
        (r.attrib["fill"], float(r.attrib["width"]))
        for r in rectangles
        if r.attrib["fill"] in (MARKED, PLAIN) and "height" in r.attrib and r.attrib["width"] != "12"
    ]


def test_bars_are_as_long_as_their_values_and_marked_ones_stand_out() -> None:
    chart = bar_chart({"t": [Bar("a", 1.0, 0.5, 2.0), Bar("b", 4.0, 3.0, 4.0, marked=True)]}, x_label="x")
    (first, short), (second, long) = _bars(chart)
    assert (first, second) == (PLAIN, MARKED)
    assert long == pytest.approx(4 * short, rel=0.01)


def test_words_are_escaped_and_all_there() -> None:
    chart = bar_chart({"a < b": [Bar("x & y", 0.5, 0.5, 0.5)]}, x_label="<share>", reference=1.0, marked_label="m")
    words = [text.text for text in ElementTree.fromstring(chart).iter(f"{SVG}text")]
    assert {"a < b", "x & y", "<share>", "m"} <= set(words)


def test_the_scale_ends_beyond_the_highest_interval_and_holds_the_reference() -> None:
    root = ElementTree.fromstring(bar_chart({"t": [Bar("a", 0.1, 0.0, 0.2)]}, x_label="", reference=1.0))
    dashed = [line for line in root.iter(f"{SVG}line") if "stroke-dasharray" in line.attrib]
    assert len(dashed) == 1
    highest = max(float(line.attrib["x2"]) for line in root.iter(f"{SVG}line"))
    assert float(dashed[0].attrib["x1"]) == pytest.approx(highest)


def test_charts_without_bars_and_bars_of_nothing_can_be_drawn() -> None:
    for charts in ({}, {"t": [], "u": [Bar("a", 0.0, 0.0, 0.0)]}):
        root = ElementTree.fromstring(bar_chart(charts, x_label="x"))
        assert root.tag == f"{SVG}svg"
        assert "nan" not in ElementTree.tostring(root, encoding="unicode")


@pytest.mark.parametrize("figures", [(1.0, 2.0, 3.0), (-1.0, -1.0, 0.0), (1.0, 0.5, float("inf"))])
def test_impossible_bars_are_refused(figures) -> None:
    with pytest.raises(InvalidValueError):
        Bar("a", *figures)
