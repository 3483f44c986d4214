"""Films and what models said of them: kept once, never changed, summed up in their study."""

from __future__ import annotations

from dataclasses import replace

import pytest

from medcam.core.errors import InputError
from medcam.store import FilmStore, KeptFinding, audit_events
from medcam.store.schema import StudyRow

from .records import CARD, explanation, film, study

NODULE = KeptFinding("Nodule", 0.9, 0.5, 2.2, present=True)
MASS = KeptFinding("Mass", 0.65, 0.6, 0.2, present=True)
EFFUSION = KeptFinding("Pleural Effusion", 0.1, 0.5, -2.2, present=False)


def test_what_is_kept_comes_back_as_it_was(films):
    one = study(1, patient_id="P1", patient_name="DOE^JANE", study_date="20260102", accession_number="A7")
    kept = film(1, 1, zones=b"zones")
    said = explanation("r1", MASS, NODULE)

    assert films.keep(one, kept, said, now=7.0)
    assert films.study(one.id) == one
    assert films.film(kept.id) == kept
    assert films.films(one.id) == [kept]
    assert films.explanations(kept.id) == [said]
    assert films.explanation(said.id) == (said, kept)
    assert films.holds(kept.id, "r1")
    assert not films.holds(kept.id, "r2")
    assert films.counts() == {"studies": 1, "radiographs": 1, "explanations": 1}


def test_what_is_not_there_is_none(films):
    assert films.study("0" * 16) is films.film("0" * 16) is films.explanation("0" * 16) is None
    assert films.films("0" * 16) == films.explanations("0" * 16) == []


def test_the_same_request_is_kept_once_and_another_is_added(films):
    films.keep(study(1), film(1, 1), explanation("r1", created=1.0), now=1.0)

    assert not films.keep(study(1), film(1, 1), explanation("r1", created=9.0), now=2.0)
    assert films.keep(study(1), film(1, 1), explanation("r2", created=3.0), now=3.0)
    assert [kept.request for kept in films.explanations(film(1).id)] == ["r2", "r1"]


def test_a_film_of_the_same_uid_and_other_content_is_refused_and_nothing_of_it_kept(films):
    films.keep(study(1), film(1, 1), explanation("r1"), now=1.0)
    with pytest.raises(InputError) as caught:
        films.keep(study(2), film(1, 2, sha256="f" * 64), explanation("r2"), now=2.0)

    assert caught.value.code == "duplicate-uid"
    assert films.counts() == {"studies": 1, "radiographs": 1, "explanations": 1}


def test_a_film_that_has_moved_is_found_where_it_is_now(films):
    films.keep(study(1), film(1, 1), explanation("r1"), now=1.0)
    films.keep(study(1), film(1, 1, source="/moved.dcm"), explanation("r1"), now=1.0)

    assert films.film(film(1).id).source == "/moved.dcm"


def test_a_study_repeats_what_the_newest_explanations_of_its_films_say(films, store):
    films.keep(study(1), film(1, 1), explanation("r1", NODULE, MASS, rank=-2.8, created=1.0), now=1.0)
    films.keep(study(1), film(2, 1), explanation("r2", EFFUSION, rank=-0.2, created=2.0), now=2.0)

    def row() -> StudyRow:
        with store.read() as session:
            return session.get(StudyRow, study(1).id)

    assert (row().films, row().rank, row().finding, row().probability) == (2, -2.8, "Nodule", 0.9)
    # A newer model finds nothing on the first film either.
    films.keep(study(1), film(1, 1), explanation("r3", EFFUSION, rank=-0.1, created=3.0), now=3.0)
    assert (row().rank, row().finding, row().probability) == (-0.2, "", None)
    assert row().received == 1.0


def test_a_model_that_withholds_its_answer_does_not_stand_for_one_that_gives_it(films, store):
    films.keep(study(1), film(1, 1), explanation("r1", NODULE, rank=-2.8, created=1.0), now=1.0)
    withheld = replace(explanation("r2", rank=-1.0, created=2.0), model="other", flagged=True)
    films.keep(study(1), film(1, 1), withheld, now=2.0)

    with store.read() as session:
        row = session.get(StudyRow, study(1).id)
    assert (row.rank, row.finding, row.flagged) == (-2.8, "Nodule", False)


def test_the_first_finding_is_the_one_furthest_over_its_threshold(films, store):
    close = KeptFinding("Close", 0.97, 0.96, 0.3, present=True)
    far = KeptFinding("Far", 0.9, 0.1, 4.4, present=True)
    films.keep(study(1), film(1, 1), explanation("r", close, far), now=1.0)

    with store.read() as session:
        assert session.get(StudyRow, study(1).id).finding == "Far"


def test_priors_are_earlier_studies_of_the_same_patient(films):
    def keep(number: int, **values: str) -> None:
        films.keep(study(number, **values), film(number, number), explanation(f"r{number}"), now=1.0)

    keep(1, patient_id="P", issuer="X", study_date="20200101")
    keep(2, patient_id="P", issuer="X", study_date="20210101")
    keep(3, patient_id="P", issuer="X", study_date="20220101")
    keep(4, patient_id="P", issuer="Y", study_date="20190101")
    keep(5, patient_id="Q", issuer="X", study_date="20190101")
    keep(6, patient_id="P", issuer="X", study_date="")
    keep(7)

    assert [prior.id for prior in films.contents(study(3).id).priors] == [study(2).id, study(1).id]
    assert films.contents(study(1).id).priors == ()
    assert films.contents(study(7).id).priors == ()


def test_keeping_is_noted_with_the_digests_of_film_model_and_explanation(films, store):
    said = explanation("r1")
    films.keep(study(1), film(1, 1), said, now=1.0)
    films.keep(study(1), film(1, 1), said, now=2.0)

    [event] = audit_events(store)
    assert (event.kind, event.study) == ("explanation-kept", study(1).id)
    assert event.details["film_sha256"] == film(1).sha256
    assert event.details["explanation_sha256"] == said.sha256
    assert event.details["weights_sha256"] == said.weights_sha256


def test_no_patient_is_named_by_a_repr(films):
    one = study(1, patient_id="SECRET", patient_name="SECRET", accession_number="SECRET")
    kept = replace(film(1, 1), attributes={"PatientName": "SECRET"})

    assert "SECRET" not in repr(one) + repr(kept) + repr(explanation("r"))


def test_texts_that_are_too_long_are_cut_and_kept(store, trail):
    films = FilmStore(store, trail)
    films.keep_model(CARD, now=0.0)
    films.keep(study(1, patient_id="x" * 500), film(1, 1), explanation("r"), now=1.0)

    assert films.study(study(1).id).patient_id == "x" * 128


def test_a_model_is_kept_once_and_counts_what_it_said(films):
    films.keep_model(CARD, now=9.0)
    films.keep_model(replace(CARD, card_sha256="d" * 64, version="2"), now=10.0)
    films.keep(study(1), film(1, 1), explanation("r"), now=1.0)

    assert [(model.version, model.explanations) for model in films.models()] == [("2", 0), ("1", 1)]
    assert films.model(CARD.card_sha256) == CARD
    assert films.model("0" * 64) is None


def test_the_contents_of_a_study_are_its_films_with_what_was_said_of_each(films):
    films.keep(study(0), film(0), explanation("first", created=1.0), now=1.0)
    films.keep(study(0), film(1), explanation("other", created=1.0), now=2.0)
    films.keep(study(0), film(0), explanation("second", created=2.0), now=3.0)
    films.keep(study(9), film(9, 9), explanation("elsewhere", created=9.0), now=4.0)

    found = films.contents(study(0).id)

    assert found.study == study(0)
    assert [one.id for one, _ in found.films] == [film(0).id, film(1).id]
    assert [[said.request for said in told] for _, told in found.films] == [["second", "first"], ["other"]]
    assert [list(told) for _, told in found.films] == [films.explanations(one.id) for one, _ in found.films]
    assert films.contents("f" * 16) is None
