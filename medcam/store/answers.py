"""All answers of a store beside what models said, for statistics: a few queries, however many answers there are."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, Select, func, select

from medcam.core.review import Answer, MarkedRegion, Phase
from medcam.store.engine import Store
from medcam.store.reviews import region_of
from medcam.store.schema import ExplanationRow, FindingRow, ReviewRow, StudyRow

_CHUNK = 5000
_SOME = 500
"""Ids in one query: SQLite takes a limited number of parameters."""


@dataclass(frozen=True, slots=True)
class GivenAnswer:
    """An answer as far as statistics need it.

    Args:
        id: Its number; a later answer has a larger one.
        study: Id of the study.
        patient: What tells patients apart: issuer and Patient ID, or the study where the patient is not known.
        film: Id of the film.
        explanation: Id of the explanation that it is about; None in a blind reading.
        reader: Number of the reader.
        phase: Blind or aided.
        finding: Its name.
        answer: What the reader says.
        confidence: 0 to 100; None where it was not asked for.
        region: What the reader marked.
        created: Seconds since 1970 UTC.
    """

    id: int
    study: str
    patient: str = field(repr=False)
    film: str
    explanation: str | None
    reader: int
    phase: Phase
    finding: str
    answer: Answer
    confidence: float | None
    region: MarkedRegion | None = field(repr=False)
    created: float


@dataclass(frozen=True, slots=True)
class SaidFinding:
    """What a model said of one finding of one film.

    Args:
        explanation: Id of the explanation.
        film: Id of the film.
        finding: Its name.
        probability: 0 to 1.
        present: None when withheld.
    """

    explanation: str
    film: str
    finding: str
    probability: float
    present: bool | None


class AnswerStore:
    """The answers of a store, to be read in bulk. All methods raise `StoreError` where the database cannot be used.

    Args:
        store: The database.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def state(self) -> tuple[int, int]:
        """Number of the last answer and number of explanations: while both stay, so does what the others return."""
        with self._store.read() as session:
            last = session.scalar(select(func.max(ReviewRow.id)))
            explanations = session.scalar(select(func.count(ExplanationRow.radiograph_id)))
            return last or 0, explanations or 0

    def answers(self, since: float = 0.0) -> Iterator[GivenAnswer]:
        """All answers from a time on, in seconds since 1970 UTC, the oldest first."""
        after = 0
        while True:
            with self._store.read() as session:
                found = [_given(row) for row in session.execute(_answers(since, after))]
            yield from found
            if len(found) < _CHUNK:
                return
            after = found[-1].id

    def said(self, card_sha256: str) -> list[SaidFinding]:
        """What a model said of the films that somebody answered about, the oldest explanation first.

        Args:
            card_sha256: Digest of the model's card.
        """
        answered = select(ReviewRow.radiograph_id).distinct()
        query = (
            select(
                ExplanationRow.id,
                ExplanationRow.radiograph_id,
                FindingRow.name,
                FindingRow.probability,
                FindingRow.present,
            )
            .join(FindingRow, FindingRow.explanation_id == ExplanationRow.id)
            .where(ExplanationRow.radiograph_id.in_(answered), ExplanationRow.card_sha256 == card_sha256)
            .order_by(ExplanationRow.created, ExplanationRow.id)
        )
        with self._store.read() as session:
            return [SaidFinding(*row) for row in session.execute(query)]

    def contents(self, explanations: Collection[str]) -> Iterator[tuple[str, bytes]]:
        """Ids and `explanation.json` of explanations; ids that are not there are passed over."""
        ids = sorted(set(explanations))
        for start in range(0, len(ids), _SOME):
            query = select(ExplanationRow.id, ExplanationRow.content).where(
                ExplanationRow.id.in_(ids[start : start + _SOME])
            )
            with self._store.read() as session:
                for one, packed in session.execute(query):
                    yield one, zlib.decompress(packed)


def _answers(since: float, after: int) -> Select[Any]:
    columns = (
        ReviewRow.id,
        ReviewRow.study_id,
        StudyRow.issuer,
        StudyRow.patient_id,
        ReviewRow.radiograph_id,
        ReviewRow.explanation_id,
        ReviewRow.reader_id,
        ReviewRow.phase,
        ReviewRow.finding,
        ReviewRow.answer,
        ReviewRow.confidence,
        ReviewRow.region,
        ReviewRow.created,
    )
    return (
        select(*columns)
        .join(StudyRow, StudyRow.id == ReviewRow.study_id)
        .where(ReviewRow.id > after, ReviewRow.created >= since)
        .order_by(ReviewRow.id)
        .limit(_CHUNK)
    )


def _given(row: Row[Any]) -> GivenAnswer:
    return GivenAnswer(
        id=row.id,
        study=row.study_id,
        patient=f"{row.issuer}\x1f{row.patient_id}" if row.patient_id else f"\x1f\x1f{row.study_id}",
        film=row.radiograph_id,
        explanation=row.explanation_id,
        reader=row.reader_id,
        phase=Phase(row.phase),
        finding=row.finding,
        answer=Answer(row.answer),
        confidence=row.confidence,
        region=region_of(row.region),
        created=row.created,
    )
