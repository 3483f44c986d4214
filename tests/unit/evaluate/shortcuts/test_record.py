import json
from dataclasses import replace

import pytest

from medcam.core.card import Interval
from medcam.core.errors import UsageError
from medcam.evaluate.shortcuts.record import Association, Place, PlaceErasing, PlaceEvidence, ShortcutRecord
from medcam.evaluate.shortcuts.rule import RULE, Severity, ShortcutRule

SMALL = Interval(-0.1, -0.2, 0.0)
ERASING = PlaceErasing(
    "Nodule", Place.MARKER, 40, 38, *[SMALL] * 4, False, Interval(0.1, 0.0, 0.2), 0.5, 0.5, Severity.NONE, "why"
)
RECORD = ShortcutRecord(
    model="m",
    weights_sha256="ab",
    data="films",
    films=40,
    patients=38,
    exact=40,
    findings=("Nodule",),
    evidence=(PlaceEvidence("Nodule", Place.MARKER, 10, 9, Interval(0.3, 0.2, 0.4), 0.01, None),),
    erasing=(ERASING,),
    associations=(
        Association("Nodule", "view", "AP against PA", 40, 38, 12, True, None, None, None, None, Severity.UNKNOWN, "x"),
    ),
    notes=("a note",),
    skipped={"a.dcm": "unreadable"},
)


def test_a_record_is_read_as_it_was_written():
    assert ShortcutRecord.from_json(RECORD.to_json()) == RECORD


@pytest.mark.parametrize(
    "change",
    [
        {"schema_version": "0"},
        {"erasing": [{"finding": "Nodule"}]},
        {"rule": {"smallest": 2.0}},
        {"findings": None},
        {"unknown": 1},
    ],
)
def test_what_is_no_record_is_refused_with_a_code(change):
    with pytest.raises(UsageError) as caught:
        ShortcutRecord.from_dict(RECORD.as_dict() | change)

    assert caught.value.code == "not-a-shortcut-record"


def test_text_that_is_no_object_is_refused():
    for text in ("{", json.dumps([1])):
        with pytest.raises(UsageError):
            ShortcutRecord.from_json(text)


def test_the_worst_verdict_counts_and_too_few_films_are_no_verdict():
    few, high = (replace(ERASING, severity=each) for each in (Severity.UNKNOWN, Severity.HIGH))

    assert RECORD.severity is Severity.NONE
    assert replace(RECORD, erasing=(few,)).severity is Severity.UNKNOWN
    assert replace(RECORD, erasing=(few, ERASING, high)).severity is Severity.HIGH
    assert replace(RECORD, erasing=(few, ERASING, high)).shortcuts == (high,)


@pytest.mark.parametrize(("effect", "name"), [(0.29, "none"), (-0.3, "low"), (0.5, "moderate"), (-0.8, "high")])
def test_an_effect_is_called_by_its_size_whatever_its_sign(effect, name):
    assert RULE.size(effect).value == name


def test_a_rule_whose_sizes_fall_is_refused():
    with pytest.raises(ValueError, match="must not fall"):
        ShortcutRule(smallest=0.6)
