"""What readers answered, and how far they are. Reviews are only ever added, each with its event in the audit trail."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from medcam.core.errors import InputError
from medcam.core.finding import Point
from medcam.core.reader import Reader
from medcam.core.review import Answer, MarkedRegion, MarkKind, Phase, Review
from medcam.store.engine import Store
from medcam.store.film_records import KeptExplanation, KeptRadiograph
from medcam.store.schema import AuditEventRow, ExplanationRow, RadiographRow, ReadingRow, ReviewRow, StudyRow
from medcam.store.trail import AuditDraft, AuditTrail

_CHUNK = 1000
_VIEWED = "study-viewed"


@dataclass(frozen=True, slots=True)
class KeptReview:
    """A review in the store.

    Args:
        id: Its number; a later review has a larger one.
        review: What was answered.
        created: Seconds since 1970 UTC.
    """

    id: int
    review: Review
    created: float


@dataclass(frozen=True, slots=True)
class Reading:
    """How far a reader is with a study: when it was first opened and when it was done, seconds since 1970 UTC."""

    begun: float
    done: float | None
    seconds: float


class ReviewStore:
    """The reviews of a store. All methods raise `StoreError` where the database cannot be used.

    Args:
        store: The database.
        trail: Where answers are noted.
        clock: Seconds since 1970 UTC.
    """

    def __init__(self, store: Store, trail: AuditTrail, clock: Callable[[], float] = time.time) -> None:
        self._store, self._trail, self._clock = store, trail, clock

    def add(self, review: Review, reader: Reader) -> KeptReview:
        """Keeps an answer, and notes it.

        Args:
            review: The answer; by this reader.
            reader: Who gives it.

        Raises:
            InputError: Study, film, explanation and reader do not belong together (code `review-mismatch`), or a blind
                answer comes after the reader was shown what the model says (`already-shown`).
        """
        [kept] = self.add_all([review], reader)
        return kept

    def add_all(self, reviews: Sequence[Review], reader: Reader) -> list[KeptReview]:
        """Keeps several answers of one reader, all or none; raises as `add`."""
        now = self._clock()
        kept = []
        with self._store.begin() as session:
            for review in reviews:
                explanation = _checked(session, review, reader)
                row = _new_row(review, now)
                session.add(row)
                session.flush()
                kept.append((KeptReview(row.id, review, now), _noted(review, row.id, explanation)))
            for one, body in kept:
                self._trail.add(session, AuditDraft("review-added", reader.label, one.review.study, body))
        return [one for one, _ in kept]

    def of_study(self, study_id: str, reader: Reader | None = None) -> list[KeptReview]:
        """All answers to a study, by one reader or by all, the oldest first."""
        query = select(ReviewRow).where(ReviewRow.study_id == study_id).order_by(ReviewRow.id)

        def answer(session: Session) -> tuple[KeptReview, ...]:
            return tuple(_kept(row) for row in session.scalars(query))

        # One question for both: a page that shows one reader's answers shows those of all beside them.
        every = self._store.ask(("reviews", study_id), answer)
        return [one for one in every if reader is None or one.review.reader == reader.id]

    def all(self) -> Iterator[KeptReview]:
        """All answers, the oldest first."""
        after = 0
        while True:
            query = select(ReviewRow).where(ReviewRow.id > after).order_by(ReviewRow.id).limit(_CHUNK)
            with self._store.read() as session:
                found = [_kept(row) for row in session.scalars(query)]
            yield from found
            if len(found) < _CHUNK:
                return
            after = found[-1].id

    def reading(self, reader: Reader, study_id: str) -> Reading | None:
        """How far a reader is with a study; None where they have not opened it."""
        with self._store.read() as session:
            row = session.get(ReadingRow, (reader.id, study_id))
            return None if row is None else Reading(row.begun, row.done, row.seconds)

    def was_shown(self, reader: Reader, study_id: str, radiograph_id: str) -> bool:
        """Whether a reader has been shown what a model says of a film, by the audit trail."""
        with self._store.read() as session:
            return _was_shown(session, reader, study_id, radiograph_id)

    def begin(self, reader: Reader, film: KeptRadiograph, phase: Phase, explanation: KeptExplanation | None) -> Reading:
        """Notes that a reader looks at a film; to be called before it is shown.

        Args:
            reader: Who looks.
            film: At what.
            phase: Whether what the model says is hidden (blind) or shown (aided).
            explanation: What is shown of it; None where there is none, and in a blind reading.
        """
        study_id, shown = film.study_id, _looked_at(film, phase, explanation)
        with self._store.begin() as session:
            row = session.get(ReadingRow, (reader.id, study_id), with_for_update=True)
            if row is None:
                row = ReadingRow(reader_id=reader.id, study_id=study_id, begun=self._clock(), done=None, seconds=0.0)
                session.add(row)
                session.flush()
            # Rows of readings first and the head of the trail last, as every writer does: none waits in a circle.
            self._trail.add(session, AuditDraft(_VIEWED, reader.label, study_id, shown))
            return Reading(row.begun, row.done, row.seconds)

    def look(
        self,
        reader: Reader,
        film: KeptRadiograph,
        phase: Phase,
        explanation: KeptExplanation | None,
        *,
        beside: str,
    ) -> None:
        """Notes that a reader looks at a film beside that of another study, whose reading it does not begin.

        Args:
            reader: Who looks.
            film: At what; to be called before it is shown.
            phase: As in `begin`.
            explanation: What is shown of what models said; None for the film alone.
            beside: Id of the study that is read.
        """
        shown = {**_looked_at(film, phase, explanation), "beside": beside}
        with self._store.begin() as session:
            self._trail.add(session, AuditDraft(_VIEWED, reader.label, film.study_id, shown))

    def finish(self, reader: Reader, study_id: str, seconds: float) -> Reading:
        """Notes that a reader is done with a study.

        Args:
            reader: Who is done.
            study_id: With what.
            seconds: Time taken, this time; times add up where a study is read again.
        """
        now = self._clock()
        with self._store.begin() as session:
            study = session.get(StudyRow, study_id, with_for_update=True)
            assert study is not None
            row = session.get(ReadingRow, (reader.id, study_id), with_for_update=True)
            if row is None:
                row = ReadingRow(reader_id=reader.id, study_id=study_id, begun=now, done=None, seconds=0.0)
                session.add(row)
            study.readers_done += row.done is None
            row.done, row.seconds = now, row.seconds + seconds
            session.flush()
            body = {"seconds": round(seconds, 1)}
            self._trail.add(session, AuditDraft("study-finished", reader.label, study_id, body))
            return Reading(row.begun, row.done, row.seconds)


def _looked_at(film: KeptRadiograph, phase: Phase, explanation: KeptExplanation | None) -> dict[str, Any]:
    """What the trail keeps of a look at a film."""
    return {
        "phase": str(phase),
        "film": film.id,
        "film_sha256": film.sha256,
        "explanation": explanation.id if explanation else None,
        "weights_sha256": explanation.weights_sha256 if explanation else None,
    }


def _was_shown(session: Session, reader: Reader, study_id: str, radiograph_id: str) -> bool:
    viewed = select(AuditEventRow.body).where(
        AuditEventRow.study == study_id, AuditEventRow.reader == reader.label, AuditEventRow.kind == _VIEWED
    )
    bodies = map(json.loads, session.scalars(viewed))
    return any(body["film"] == radiograph_id and body["explanation"] is not None for body in bodies)


def _checked(session: Session, review: Review, reader: Reader) -> ExplanationRow | None:
    film = session.get(RadiographRow, review.radiograph)
    explanation = None if review.explanation is None else session.get(ExplanationRow, review.explanation)
    fits = (
        film is not None
        and film.study_id == review.study
        and review.reader == reader.id
        and (review.explanation is None or (explanation is not None and explanation.radiograph_id == film.id))
    )
    if not fits:
        raise InputError(
            "study, film, explanation and reader of a review do not belong together",
            code="review-mismatch",
            next_step="Open the study again from the worklist.",
        )
    if review.phase is Phase.BLIND and _was_shown(session, reader, review.study, review.radiograph):
        raise InputError(
            "this reader has been shown what the model says of this film: an answer cannot be blind any more",
            code="already-shown",
            next_step="Answer beside the model, or hide it before a film is opened.",
        )
    return explanation


def noted(review: Review, number: int) -> dict[str, Any]:
    """What the trail keeps of an answer: all of it but study and reader, which the event names."""
    body = {**asdict(review), "review": number, "display": dict(review.display)}
    for name in ("study", "reader"):
        del body[name]
    return body


def _noted(review: Review, number: int, explanation: ExplanationRow | None) -> dict[str, Any]:
    """What the trail keeps of an answer, so that a row that was edited later shows, and by what it was shown."""
    body = noted(review, number)
    if explanation is not None:
        body |= {
            "explanation_sha256": explanation.sha256,
            "model": explanation.model,
            "version": explanation.version,
            "weights_sha256": explanation.weights_sha256,
        }
    return body


def _new_row(review: Review, now: float) -> ReviewRow:
    region = review.region
    points = None if region is None else [[point.x, point.y] for point in region.points]
    return ReviewRow(
        study_id=review.study,
        radiograph_id=review.radiograph,
        explanation_id=review.explanation,
        reader_id=review.reader,
        phase=review.phase,
        finding=review.finding,
        answer=review.answer,
        confidence=review.confidence,
        region=None if region is None else {"kind": str(region.kind), "points": points},
        comment=review.comment,
        display=dict(review.display),
        seconds=review.seconds,
        created=now,
    )


def review_of(row: ReviewRow) -> Review:
    """The answer of a row."""
    return Review(
        study=row.study_id,
        radiograph=row.radiograph_id,
        explanation=row.explanation_id,
        reader=row.reader_id,
        phase=Phase(row.phase),
        finding=row.finding,
        answer=Answer(row.answer),
        confidence=row.confidence,
        region=region_of(row.region),
        comment=row.comment,
        display=row.display,
        seconds=row.seconds,
    )


def _kept(row: ReviewRow) -> KeptReview:
    return KeptReview(row.id, review_of(row), row.created)


def region_of(stored: dict[str, Any] | None) -> MarkedRegion | None:
    """The region of a row of reviews."""
    if stored is None:
        return None
    return MarkedRegion(MarkKind(stored["kind"]), tuple(Point(x, y) for x, y in stored["points"]))
