"""Answers beside what models said, in bulk, on both databases."""

from __future__ import annotations

from dataclasses import replace

import pytest
from statements_told import counted

from medcam.core.finding import Point
from medcam.core.reader import Role
from medcam.core.review import Answer, MarkedRegion, MarkKind, Phase, Review
from medcam.store import AnswerStore, KeptFinding, KeptModel
from medcam.store import answers as answers_module

from .records import CARD, explanation, film, study

BOX = MarkedRegion(MarkKind.BOX, (Point(1.5, 2.0), Point(30.25, 40.0)))
NODULE, WITHHELD = KeptFinding("Nodule", 0.9, 0.5, 2.2, True), KeptFinding("Mass", 0.4, 0.5, -0.4, None)


@pytest.fixture
def answers(store):
    return AnswerStore(store)


@pytest.fixture
def answer(films, reviews, readers):
    """Keeps a film with what a model said of it, and an answer; the film's number names its study too."""
    ada = readers.set("local", "ada", name="Ada", roles=[Role.READER], everything=True)

    def give(number, reader=ada, patient="", **values):
        said = explanation(f"request {number}", NODULE, WITHHELD)
        films.keep(study(number, patient_id=patient, issuer="site"), film(number, number), said, now=1.0)
        fields = {"phase": Phase.AIDED, "explanation": said.id, "finding": "Nodule", "answer": Answer.AGREE, **values}
        one = Review(study=study(number).id, radiograph=film(number).id, reader=reader.id, **fields)
        return reviews.add(one, reader)

    return give


def test_answers_come_whole_and_in_order(answers, answer, clock):
    first = answer(1, phase=Phase.BLIND, explanation=None, answer=Answer.PRESENT, confidence=70.0)
    clock.now += 60
    second = answer(2, answer=Answer.WRONG_REGION, region=BOX)
    found = list(answers.answers())

    assert [one.id for one in found] == [first.id, second.id]
    for one, kept in zip(found, (first, second), strict=True):
        review = kept.review
        assert (one.study, one.film, one.explanation) == (review.study, review.radiograph, review.explanation)
        assert (one.reader, one.phase, one.finding, one.answer) == (
            review.reader,
            review.phase,
            review.finding,
            review.answer,
        )
        assert (one.confidence, one.region, one.created) == (review.confidence, review.region, kept.created)
    assert [one.id for one in answers.answers(since=clock.now)] == [second.id]


def test_patients_are_told_apart_and_those_unknown_are_one_per_study(answers, answer):
    for number, patient in enumerate(("P1", "P1", "P2", "", "")):
        answer(number, patient=patient)
    patients = [one.patient for one in answers.answers()]

    assert patients[0] == patients[1]
    assert len(set(patients)) == 4
    assert "P1" not in repr(next(answers.answers()))


def test_what_a_model_said_is_told_of_films_that_were_answered_about(answers, answer, films):
    kept = answer(1)
    films.keep(study(2), film(2, 2), explanation("not answered", NODULE), now=1.0)
    other = KeptModel("d" * 64, "other", "1", "w" * 64, "{}")
    films.keep_model(other, now=2.0)
    said = replace(explanation("other", NODULE), card_sha256=other.card_sha256)
    films.keep(study(1), film(1, 1), said, now=2.0)
    found = answers.said(CARD.card_sha256)

    assert {(one.finding, one.probability, one.present) for one in found} == {
        ("Nodule", 0.9, True),
        ("Mass", 0.4, None),
    }
    assert {(one.explanation, one.film) for one in found} == {(kept.review.explanation, film(1).id)}
    assert [one.explanation for one in answers.said(other.card_sha256)] == [said.id]


def test_contents_come_by_their_ids(answers, answer):
    kept = answer(1)
    found = dict(answers.contents([kept.review.explanation, "f" * 16]))

    assert found == {kept.review.explanation: b"request 1 of 5.0"}


def test_the_state_changes_with_every_answer_and_explanation(answers, answer, films):
    states = [answers.state()]
    for number in (1, 2):
        answer(number)
        states.append(answers.state())
    films.keep(study(2), film(2, 2), explanation("again", NODULE), now=1.0)
    states.append(answers.state())

    assert len(set(states)) == 4
    assert answers.state() == states[-1]


def test_chunks_leave_nothing_out_and_ask_once_each(answers, answer, store, monkeypatch):
    monkeypatch.setattr(answers_module, "_CHUNK", 3)
    wanted = [answer(number % 2).id for number in range(7)]
    with counted(store) as asked:
        found = [one.id for one in answers.answers()]

    assert found == wanted
    assert sum("FROM reviews" in one for one in asked) == 3
