"""Line charts are well-formed SVG that shows the values it was given."""

from __future__ import annotations

import math
from xml.etree import ElementTree

import pytest

from medcam.evaluate.curves import HEIGHT, MARGIN, WIDTH, line_charts

SVG = "{http://www.w3.org/2000/svg}"


def parse(text: str) -> ElementTree.Element:
    root = ElementTree.fromstring(text)
    assert root.tag == f"{SVG}svg"
    return root


def lines(root: ElementTree.Element) -> list[list[tuple[float, float]]]:
    drawn = (line.attrib["points"].split() for line in root.iter(f"{SVG}polyline"))
    return [[tuple(map(float, point.split(","))) for point in points] for points in drawn]


def test_a_line_is_drawn_to_scale() -> None:
    (points,) = lines(parse(line_charts({"loss": {"total": [4.0, 1.0, 2.5]}})))
    xs, ys = zip(*points, strict=True)
    assert xs[1] - xs[0] == pytest.approx(xs[2] - xs[1], abs=0.11)
    assert ys[0] == pytest.approx(MARGIN)
    assert ys[1] == pytest.approx(HEIGHT - MARGIN)
    # 2.5 is halfway between the lowest and the highest value.
    assert ys[2] == pytest.approx((ys[0] + ys[1]) / 2.0, abs=0.1)


def test_charts_stand_side_by_side_with_their_own_scales() -> None:
    root = parse(line_charts({"loss": {"a": [1.0, 2.0], "b": [2.0, 3.0]}, "auc": {"c": [0.5, 0.9]}}))
    first, second, third = lines(root)
    assert all(0 <= x <= WIDTH for x, _ in (*first, *second))
    assert all(WIDTH <= x <= 2 * WIDTH for x, _ in third)
    assert all(MARGIN - 0.1 <= y <= HEIGHT - MARGIN + 0.1 for line in (first, second, third) for _, y in line)
    assert float(root.attrib["width"]) == 2 * WIDTH
    words = {text.text for text in root.iter(f"{SVG}text")}
    assert {"loss", "auc", "a", "b", "c", "epoch", "1", "3", "0.5", "0.9"} <= words


def test_two_lines_have_two_colours() -> None:
    root = parse(line_charts({"auc": {"a": [0.1, 0.2], "b": [0.3, 0.4]}}))
    assert len({line.attrib["stroke"] for line in root.iter(f"{SVG}polyline")}) == 2


@pytest.mark.parametrize("hole", [math.nan, math.inf])
def test_a_value_that_is_not_finite_leaves_a_gap(hole: float) -> None:
    whole = lines(parse(line_charts({"auc": {"a": [0.1, 0.2, 0.3, 0.4, 0.5]}})))
    broken = lines(parse(line_charts({"auc": {"a": [0.1, 0.2, hole, 0.4, 0.5]}})))
    assert len(whole) == 1
    # Two pieces, where they were before.
    assert broken == [whole[0][:2], whole[0][3:]]


def test_a_value_that_stands_alone_can_be_seen() -> None:
    for values in ([0.5], [math.nan, 0.5, math.nan]):
        root = parse(line_charts({"auc": {"a": values}}))
        dots = list(root.iter(f"{SVG}circle"))
        assert len(dots) == 1
        assert float(dots[0].attrib["r"]) > 0


def test_names_are_escaped() -> None:
    root = parse(line_charts({"<loss> & more": {'a < "b"': [1.0, 2.0]}}, x_label="x & y"))
    words = {text.text for text in root.iter(f"{SVG}text")}
    assert {"<loss> & more", 'a < "b"', "x & y"} <= words


@pytest.mark.parametrize(
    "charts", [{}, {"loss": {}}, {"loss": {"a": []}}, {"loss": {"a": [math.nan]}}, {"loss": {"a": [2.0, 2.0]}}]
)
def test_nothing_to_draw_is_no_failure(charts: dict[str, dict[str, list[float]]]) -> None:
    root = parse(line_charts(charts))
    assert "nan" not in ElementTree.tostring(root, encoding="unicode")
