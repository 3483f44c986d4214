from dataclasses import replace

import pytest

from medcam.core.errors import InvalidValueError
from medcam.evaluate.triage import LABEL_IN_DOUBT, RULES, Cause, EvidencePlaces, Mistake, TriageRules, likely_cause

LUNG = EvidencePlaces(marks=0.02, marks_area=0.02, marks_logit=0.7, half_area=0.01, outside=0.05, expected=0.8)
YES, NO = Mistake.FALSE_POSITIVE, Mistake.FALSE_NEGATIVE


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({}, Cause.EXPECTED),
        ({"marks": 0.25}, Cause.MARK),
        ({"marks": 0.24}, Cause.EXPECTED),
        ({"marks": 0.25, "marks_area": 0.1}, Cause.EXPECTED),  # not three times what the area would have
        ({"marks": 0.9, "marks_logit": 0.69}, Cause.EXPECTED),  # too little to count
        ({"outside": 0.5, "expected": 0.4}, Cause.OUTSIDE),
        ({"marks": 0.5, "outside": 0.9, "expected": 0.0}, Cause.MARK),  # a marker lies outside the body
        ({"half_area": 0.12}, Cause.SPREAD),
        ({"expected": 0.32}, Cause.ELSEWHERE),
        ({"expected": 0.33}, Cause.EXPECTED),
        ({"expected": None}, Cause.UNPLACED),
        ({"outside": None, "expected": None}, Cause.UNPLACED),
        ({"outside": None, "expected": None, "half_area": 0.3}, Cause.SPREAD),
        ({"outside": None, "expected": None, "marks": 0.9}, Cause.MARK),
    ],
)
def test_a_sure_false_positive_gets_its_reason_by_place(changes, cause) -> None:
    assert likely_cause(YES, 3.0, replace(LUNG, **changes)) is cause


@pytest.mark.parametrize(
    ("margin", "changes", "cause"),
    [
        (-0.7, {}, Cause.NOTHING),
        (-0.69, {}, Cause.CLOSE),
        (-5.0, {"outside": 0.9, "expected": 0.0}, Cause.NOTHING),  # evidence against may lie anywhere
        (-5.0, {"outside": None, "expected": None}, Cause.NOTHING),
        (-5.0, {"marks": 0.6}, Cause.MARK),
        (-0.1, {"marks": 0.6}, Cause.MARK),
    ],
)
def test_a_false_negative_gets_its_reason_by_how_sure_the_model_is(margin, changes, cause) -> None:
    assert likely_cause(NO, margin, replace(LUNG, **changes)) is cause


def test_a_false_positive_near_the_threshold_is_a_close_call_unless_it_lies_where_it_should_not() -> None:
    assert likely_cause(YES, 0.69, LUNG) is Cause.CLOSE
    assert likely_cause(YES, 0.69, replace(LUNG, outside=0.6)) is Cause.OUTSIDE
    assert likely_cause(YES, 0.69, replace(LUNG, marks=0.6)) is Cause.MARK


def test_thresholds_can_be_changed() -> None:
    strict = TriageRules(expected_share=0.9)
    assert likely_cause(YES, 3.0, LUNG, strict) is Cause.ELSEWHERE
    assert likely_cause(YES, 3.0, LUNG, RULES) in LABEL_IN_DOUBT


@pytest.mark.parametrize("field", ["marks", "marks_area", "half_area", "outside", "expected"])
def test_shares_are_shares(field) -> None:
    with pytest.raises(InvalidValueError):
        replace(LUNG, **{field: 1.1})


def test_evidence_for_an_answer_is_not_negative() -> None:
    with pytest.raises(InvalidValueError):
        replace(LUNG, marks_logit=-0.1)
