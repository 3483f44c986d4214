from __future__ import annotations

from dataclasses import replace

import pytest

from medcam.core.errors import InputError
from medcam.core.finding import Point
from medcam.core.reader import Role
from medcam.core.review import Answer, MarkedRegion, MarkKind, Phase, Review
from medcam.store import audit_events
from medcam.store.schema import StudyRow

from .records import explanation, film, study

SAID = explanation("r1")
BOX = MarkedRegion(MarkKind.BOX, (Point(1.5, 2.0), Point(30.25, 40.0)))


@pytest.fixture
def review(films, reader):
    films.keep(study(1), film(1, 1), SAID, now=1.0)
    return Review(
        study=study(1).id,
        radiograph=film(1).id,
        explanation=SAID.id,
        reader=reader.id,
        phase=Phase.AIDED,
        finding="Nodule",
        answer=Answer.WRONG_REGION,
        confidence=80.0,
        region=BOX,
        comment="höher",
        display={"window": [2048, 4096], "overlay": True},
        seconds=12.5,
    )


def test_an_answer_comes_back_as_it_was(reviews, review, reader):
    kept = reviews.add(review, reader)

    assert kept.review == review
    assert reviews.of_study(study(1).id) == [kept]
    assert list(reviews.all()) == [kept]


def test_a_changed_mind_is_another_review(reviews, review, reader):
    first = reviews.add(review, reader)
    second = reviews.add(replace(review, answer=Answer.AGREE, region=None), reader)

    assert second.id > first.id
    assert [kept.review.answer for kept in reviews.of_study(study(1).id, reader)] == ["wrong-region", "agree"]


def test_an_answer_is_noted_whole_with_what_was_shown(reviews, review, reader, store):
    kept = reviews.add(review, reader)
    event = list(audit_events(store))[-1]

    assert (event.kind, event.reader, event.study) == ("review-added", "ada@local", study(1).id)
    assert event.details["review"] == kept.id
    assert event.details["answer"] == "wrong-region"
    assert event.details["region"]["points"] == [{"x": 1.5, "y": 2.0}, {"x": 30.25, "y": 40.0}]
    assert event.details["display"] == {"window": [2048, 4096], "overlay": True}
    assert event.details["explanation_sha256"] == SAID.sha256
    assert event.details["weights_sha256"] == SAID.weights_sha256


def test_answers_of_one_reader_are_not_those_of_another(reviews, review, reader, readers):
    bob = readers.set("local", "bob", name="Bob", roles=[Role.READER])
    reviews.add(review, reader)
    reviews.add(replace(review, reader=bob.id), bob)

    assert [kept.review.reader for kept in reviews.of_study(study(1).id)] == [reader.id, bob.id]
    assert [kept.review.reader for kept in reviews.of_study(study(1).id, bob)] == [bob.id]


@pytest.mark.parametrize(
    "changes",
    [
        {"study": study(2).id},
        {"radiograph": film(2).id},
        {"radiograph": film(9).id},
        {"explanation": "0" * 16},
        {"explanation": explanation("r2").id},
        {"reader": 999},
    ],
)
def test_what_does_not_belong_together_is_refused_and_leaves_nothing(reviews, review, reader, films, store, changes):
    films.keep(study(2), film(2, 2), explanation("r2"), now=1.0)
    before = len(list(audit_events(store)))
    with pytest.raises(InputError) as caught:
        reviews.add(replace(review, **changes), reader)

    assert caught.value.code == "review-mismatch"
    assert list(reviews.all()) == []
    assert len(list(audit_events(store))) == before


def test_a_blind_answer_has_no_explanation(reviews, review, reader):
    blind = replace(review, phase=Phase.BLIND, explanation=None, answer=Answer.PRESENT, region=None)

    assert reviews.add(blind, reader).review == blind


def test_a_reading_begins_once_and_is_done_when_it_is_said_so(reviews, review, reader, store, clock):
    assert reviews.reading(reader, study(1).id) is None
    begun = reviews.begin(reader, film(1, 1), Phase.AIDED, SAID)
    clock.now += 60
    assert reviews.begin(reader, film(1, 1), Phase.BLIND, None).begun == begun.begun
    clock.now += 60
    reviews.finish(reader, study(1).id, seconds=30.0)
    done = reviews.finish(reader, study(1).id, seconds=5.0)

    assert done == reviews.reading(reader, study(1).id)
    assert (done.begun, done.done, done.seconds) == (begun.begun, begun.begun + 120, 35.0)
    with store.read() as session:
        assert session.get(StudyRow, study(1).id).readers_done == 1
    kinds = [event.kind for event in audit_events(store)][2:]
    assert kinds == ["study-viewed", "study-viewed", "study-finished", "study-finished"]


def test_more_answers_than_are_read_at_once_come_in_order(reviews, review, reader, monkeypatch):
    monkeypatch.setattr("medcam.store.reviews._CHUNK", 2)
    ids = [reviews.add(review, reader).id for _ in range(5)]

    assert [kept.id for kept in reviews.all()] == ids


def test_looking_is_noted_with_what_was_shown(reviews, review, reader, store):
    reviews.begin(reader, film(1, 1), Phase.AIDED, SAID)
    event = list(audit_events(store))[-1]

    assert (event.kind, event.reader, event.study) == ("study-viewed", "ada@local", study(1).id)
    assert event.details == {
        "phase": "aided",
        "film": film(1).id,
        "film_sha256": film(1).sha256,
        "explanation": SAID.id,
        "weights_sha256": SAID.weights_sha256,
    }


def test_nobody_reads_blind_what_they_were_shown(reviews, review, reader, readers, films):
    films.keep(study(1), film(2, 1), explanation("r2"), now=1.0)
    bob = readers.set("local", "bob", name="Bob", roles=[Role.READER])
    blind = replace(review, phase=Phase.BLIND, explanation=None, answer=Answer.ABSENT, region=None)
    reviews.begin(reader, film(1, 1), Phase.BLIND, None)
    assert not reviews.was_shown(reader, study(1).id, film(1).id)
    reviews.add(blind, reader)
    reviews.begin(reader, film(1, 1), Phase.AIDED, SAID)

    assert reviews.was_shown(reader, study(1).id, film(1).id)
    with pytest.raises(InputError) as caught:
        reviews.add(blind, reader)
    assert caught.value.code == "already-shown"
    # Another film of the study, and another reader.
    reviews.add(replace(blind, radiograph=film(2).id), reader)
    reviews.add(replace(blind, reader=bob.id), bob)
