"""Explanations and answers are edited, removed and slipped in by hand, and each is found against the trail."""

from __future__ import annotations

import json
import shutil
import sqlite3
import zlib

import pytest

from medcam.core.finding import Point
from medcam.core.reader import Role
from medcam.core.review import Answer, MarkedRegion, MarkKind, Phase, Review
from medcam.service.annotate.options import AnnotateOptions, Output
from medcam.service.annotate.run import annotate
from medcam.service.audit.key import KEY_VARIABLE, read_verifier
from medcam.service.audit.verify import verify_trail
from medcam.service.audit.verify_records import RecordFault, verify_records
from medcam.service.studies.opened import open_studies, opened_store


@pytest.fixture(scope="module")
def whole(phantom_dicom, tiny_model_folder, tmp_path_factory):
    """A store with three films and two answers, and the key of its trail."""
    home = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(KEY_VARIABLE, str(home / "audit.pem"))
        options = AnnotateOptions(
            model=str(tiny_model_folder), outputs=(Output.JSON,), workers=1, store=str(home / "store")
        )
        annotate([phantom_dicom], home / "out", options)
        with opened_store(home / "store") as opened:
            [first, second, _] = opened.films.explanation_ids()
            ada, bob = (
                opened.readers.set("local", name, name=name, roles=(Role.READER,), everything=True)
                for name in ("ada", "bob")
            )
            square = tuple(Point(x, y) for x, y in ((1.5, 2.0), (9.0, 2.0), (9.0, 8.25), (1.5, 8.25)))
            region = MarkedRegion(MarkKind.BOX, (square[0], square[2]))
            for reader, explanation, marked in ((ada, first, region), (bob, second, None)):
                kept, film = opened.films.explanation(explanation)
                review = Review(
                    study=film.study_id,
                    radiograph=film.id,
                    reader=reader.id,
                    finding=kept.findings[0].name,
                    answer=Answer.AGREE,
                    phase=Phase.AIDED,
                    explanation=explanation,
                    region=marked,
                    comment="seen 폐",
                    display={"opacity": 0.25},
                    seconds=12.75,
                )
                opened.reviews.add(review, reader)
    return home


@pytest.fixture
def store(whole, tmp_path, monkeypatch):
    """A copy, for somebody to spoil."""
    shutil.copytree(whole / "store", tmp_path / "copy")
    monkeypatch.setenv(KEY_VARIABLE, str(whole / "audit.pem"))
    opened = open_studies(tmp_path / "copy")
    yield opened
    opened.close()


@pytest.fixture
def by_hand(store):
    """Runs statements on the database as somebody does who has no medcam; what they did is verified."""

    def run(*statements):
        with sqlite3.connect(store.address.file) as connection:
            for statement, *values in statements:
                assert connection.execute(statement, values).rowcount > 0
        connection.close()
        return verify_records(store.store)

    return run


def told(found):
    return [(one.kind, one.fault) for one in found.faults]


def test_what_nobody_touched_is_as_it_was_noted(store):
    found = verify_records(store.store)

    assert found.intact
    assert (found.explanations, found.reviews) == (3, 2)


def test_a_removed_explanation_leaves_the_trail_whole_and_is_told_with_its_event(store, by_hand, whole):
    one = store.films.explanation_ids()[2]
    found = by_hand(
        ("DELETE FROM findings WHERE explanation_id = ?", one), ("DELETE FROM explanations WHERE id = ?", one)
    )

    assert verify_trail(store.store, read_verifier(whole / "audit.pem")).intact
    [fault] = found.faults
    assert (fault.id, fault.event, fault.fault) == (one, 3, RecordFault.MISSING)


@pytest.mark.parametrize("also", [(), (("UPDATE explanations SET sha256 = ? WHERE id = ?", "0" * 64),)])
def test_an_edited_explanation_is_told_whatever_digest_stands_beside_it(store, by_hand, also):
    one = store.films.explanation_ids()[0]
    content = json.loads(store.films.explanation(one)[0].content)
    content["findings"][0]["logit"] += 0.01
    spoiled = zlib.compress(json.dumps(content).encode())
    found = by_hand(
        ("UPDATE explanations SET content = ? WHERE id = ?", spoiled, one), *((*each, one) for each in also)
    )

    assert told(found) == [("explanation", RecordFault.CHANGED)]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE findings SET probability = 0.5 + probability / 4 WHERE explanation_id = ?",
        "UPDATE findings SET present = NOT present WHERE explanation_id = ?",
        "DELETE FROM findings WHERE explanation_id = ?",
        "UPDATE explanations SET content = x'00' WHERE id = ?",
    ],
)
def test_what_lists_show_of_an_explanation_must_be_what_it_says(store, by_hand, statement):
    found = by_hand((statement, store.films.explanation_ids()[0]))

    assert told(found) == [("explanation", RecordFault.CHANGED)]


@pytest.mark.parametrize(
    "change",
    [
        "answer = 'disagree'",
        "answer = 'perhaps'",
        "comment = ''",
        "seconds = 1.0",
        "display = '{}'",
        "finding = 'Mass'",
        "reader_id = (SELECT max(id) FROM readers)",
        "region = NULL",
    ],
)
def test_an_edited_answer_is_told(by_hand, change):
    found = by_hand((f"UPDATE reviews SET {change} WHERE id = 1",))

    [fault] = found.faults
    assert (fault.kind, fault.id, fault.fault) == ("review", "1", RecordFault.CHANGED)


def test_a_removed_answer_and_one_that_was_slipped_in_are_told(by_hand):
    found = by_hand(("UPDATE reviews SET id = 77 WHERE id = 2",))

    assert told(found) == [("review", RecordFault.MISSING), ("review", RecordFault.UNKNOWN)]
    assert [fault.event == 0 for fault in found.faults] == [False, True]
