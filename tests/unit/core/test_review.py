from __future__ import annotations

import pytest

from medcam.core.errors import InvalidValueError
from medcam.core.finding import Point
from medcam.core.geometry import Box
from medcam.core.reader import Reader, Role
from medcam.core.review import Answer, MarkedRegion, MarkKind, Phase, Review

BOX = MarkedRegion(MarkKind.BOX, (Point(30.0, 8.0), Point(10.0, 20.0)))


def review(**changes):
    values = {
        "study": "s", "radiograph": "r", "explanation": "e", "reader": 1, "phase": Phase.AIDED, "finding": "Nodule",
        "answer": Answer.AGREE,
    }  # fmt: skip
    return Review(**{**values, **changes})


def test_a_box_is_given_by_any_two_opposite_corners():
    assert BOX.box == Box(10.0, 8.0, 20.0, 12.0)


def test_an_outline_lies_in_its_box():
    outline = MarkedRegion(MarkKind.OUTLINE, (Point(0.0, 0.0), Point(4.0, 1.0), Point(2.0, 5.0)))

    assert outline.box == Box(0.0, 0.0, 4.0, 5.0)


@pytest.mark.parametrize(
    ("kind", "points"),
    [
        (MarkKind.BOX, [(0, 0)]),
        (MarkKind.BOX, [(0, 0), (1, 1), (2, 2)]),
        (MarkKind.BOX, [(0, 0), (0, 5)]),
        (MarkKind.OUTLINE, [(0, 0), (1, 1)]),
        (MarkKind.OUTLINE, [(0, 0), (1, 0), (2, 0)]),
        (MarkKind.BOX, [(0, 0), (float("nan"), 1)]),
        (MarkKind.OUTLINE, [(n, n * n) for n in range(5001)]),
    ],
)
def test_what_marks_no_place_is_refused(kind, points):
    with pytest.raises(InvalidValueError):
        MarkedRegion(kind, tuple(Point(float(x), float(y)) for x, y in points))


@pytest.mark.parametrize(
    "changes",
    [
        {"answer": Answer.PRESENT},
        {"phase": Phase.BLIND},
        {"phase": Phase.BLIND, "explanation": None, "answer": Answer.AGREE},
        {"explanation": None},
        {"answer": Answer.WRONG_REGION},
        {"answer": Answer.MISSED},
        {"confidence": 101.0},
        {"confidence": float("nan")},
        {"seconds": -1.0},
        {"seconds": float("inf")},
        {"comment": "x" * 10_001},
        {"finding": ""},
    ],
)
def test_what_is_no_answer_is_refused(changes):
    with pytest.raises(InvalidValueError):
        review(**changes)


def test_answers_that_say_where():
    assert review(answer=Answer.MISSED, region=BOX).region == BOX
    assert review(phase=Phase.BLIND, explanation=None, answer=Answer.PRESENT, confidence=70.0).confidence == 70.0


@pytest.mark.parametrize("changes", [{"issuer": ""}, {"subject": ""}, {"roles": frozenset()}])
def test_nobody_is_no_reader(changes):
    values = {"id": 1, "issuer": "local", "subject": "ada", "name": "Ada", "roles": frozenset({Role.READER})}
    with pytest.raises(InvalidValueError):
        Reader(**{**values, **changes})
