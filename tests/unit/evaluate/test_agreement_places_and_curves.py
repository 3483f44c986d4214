"""Places and grades of two judges against what can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import auc as area_under
from sklearn.metrics import roc_auc_score

from medcam.core.errors import InvalidValueError
from medcam.core.finding import Point
from medcam.core.geometry import Box
from medcam.evaluate.agreement_figure import Doubt
from medcam.evaluate.agreement_regions import box_outline, outline_iou, outline_mask
from medcam.evaluate.agreement_roc import roc_agreement
from medcam.evaluate.classification import auc_interval

BOXES = st.builds(Box, *(st.floats(0, 900),) * 2, *(st.floats(5, 1500),) * 2)


def common(one: Box, other: Box) -> float:
    width = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    height = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    return max(width, 0.0) * max(height, 0.0)


@settings(max_examples=80, deadline=None)
@given(BOXES, BOXES)
def test_the_iou_of_boxes_is_that_of_their_areas(one: Box, other: Box) -> None:
    inside = common(one, other)
    found = outline_iou([box_outline(one)], [box_outline(other)])

    # A box that is thin in the frame around both loses up to a cell at each edge.
    thinnest = min(one.width, other.width) / 2400, min(one.height, other.height) / 2400
    if min(thinnest) > 0.1:
        assert found == pytest.approx(inside / (one.area + other.area - inside), abs=0.05)
    assert found == outline_iou([box_outline(other)], [box_outline(one)])
    assert 0.0 <= found <= 1.0
    assert outline_iou([box_outline(one)], [box_outline(one)]) == 1.0


def test_a_triangle_is_half_of_its_box() -> None:
    triangle = (Point(0, 0), Point(1000, 0), Point(0, 600))
    box = box_outline(Box(0, 0, 1000, 600))

    assert outline_iou([triangle], [box]) == pytest.approx(0.5, abs=0.01)


def test_the_places_of_two_outlines_are_taken_together() -> None:
    halves = [box_outline(Box(0, 0, 50, 80)), box_outline(Box(50, 0, 50, 80))]

    assert outline_iou(halves, [box_outline(Box(0, 0, 100, 80))]) == 1.0
    assert outline_iou([*halves, halves[0]], halves) == 1.0


def test_a_mask_has_the_cells_whose_centres_lie_inside() -> None:
    diamond = (Point(2, -0.2), Point(4.2, 2), Point(2, 4.2), Point(-0.2, 2))
    found = outline_mask(diamond, Box(0, 0, 4, 4), side=4)

    assert found.astype(int).tolist() == [[0, 1, 1, 0], [1, 1, 1, 1], [1, 1, 1, 1], [0, 1, 1, 0]]


def test_a_place_is_not_compared_with_nothing() -> None:
    square = [box_outline(Box(0, 0, 10, 10))]
    for one, other in (([], square), (square, []), (square, [(Point(0, 0), Point(1, 1))])):
        with pytest.raises(InvalidValueError):
            outline_iou(one, other)
    with pytest.raises(InvalidValueError):
        outline_iou([(Point(0, 0), Point(1, 0), Point(2, 0))], [(Point(0, 0), Point(1, 0), Point(2, 0))])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.sampled_from([0, 50, 60, 75, 90, 100])), min_size=2, max_size=50))
def test_the_area_is_that_under_the_curve_and_scikit_learns(answers: list[tuple[bool, int]]) -> None:
    truth, grades = zip(*answers, strict=True)
    found = roc_agreement(truth, grades, range(len(truth)))

    if len(set(truth)) < 2:
        assert (found.area.value, found.area.doubt, found.points) == (None, Doubt.ONE_CATEGORY, ())
        return
    assert found.area.value == pytest.approx(roc_auc_score(truth, grades))
    assert found.area.value == pytest.approx(area_under(*zip(*found.points, strict=True)))
    assert (found.points[0], found.points[-1]) == ((0.0, 0.0), (1.0, 1.0))


def test_an_area_has_an_interval_where_there_are_patients_enough() -> None:
    rng = np.random.default_rng(0)
    truth = np.arange(80) % 2 == 0
    grades = np.clip(50 + 20 * truth + 20 * rng.standard_normal(80), 0, 100)
    found = roc_agreement(truth, grades, np.arange(80)).area

    assert 0.5 < found.low < found.value < found.high < 1.0
    assert roc_agreement(truth, grades, np.arange(80) % 8).area.doubt is Doubt.FEW
    assert roc_agreement(truth[:12] & (np.arange(12) < 3), grades[:12], np.arange(12)).area.doubt is Doubt.FEW
    assert roc_agreement(truth, truth, np.arange(80)).area.doubt is Doubt.NO_SPREAD


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**16), st.integers(1, 3))
def test_the_interval_of_an_area_is_that_of_samples_drawn_one_by_one(seed: int, films: int) -> None:
    rng = np.random.default_rng(seed)
    patients = np.repeat(np.arange(60), films)
    truth = patients % 3 == 0
    grades = np.round(10 * truth + 10 * rng.standard_normal(len(truth)), -1)
    found, slow = roc_agreement(truth, grades, patients).area, auc_interval(truth, grades, patients)

    assert found.value == pytest.approx(slow.value)
    assert found.low == pytest.approx(slow.low, abs=0.04)
    assert found.high == pytest.approx(slow.high, abs=0.04)


def test_nothing_graded_is_nothing_and_unequal_numbers_are_refused() -> None:
    assert roc_agreement([], [], []).area.doubt is Doubt.NO_CASES
    with pytest.raises(InvalidValueError):
        roc_agreement([True, False], [1.0], [1, 2])
