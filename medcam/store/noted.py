"""Rows that the audit trail has noted, as they are now, for whoever asks whether they are still what was noted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import select

from medcam.store.engine import Store
from medcam.store.film_records import KeptExplanation
from medcam.store.film_rows import explanation_of
from medcam.store.reviews import noted, review_of
from medcam.store.schema import ExplanationRow, ReaderRow, ReviewRow

_CHUNK = 200


def explanations_now(store: Store) -> Iterator[tuple[str, KeptExplanation]]:
    """Every explanation by its id, in the ids' order. Whether its content can be unpacked is not looked at.

    Raises:
        StoreError: The database cannot be used.
    """
    after = ""
    while True:
        query = select(ExplanationRow).where(ExplanationRow.id > after).order_by(ExplanationRow.id).limit(_CHUNK)
        with store.read() as session:
            found = [(row.id, explanation_of(session, row)) for row in session.scalars(query)]
        yield from found
        if len(found) < _CHUNK:
            return
        after = found[-1][0]


def reviews_now(store: Store) -> Iterator[tuple[int, str, str, dict[str, Any] | None]]:
    """Every answer: its number, study, reader as "subject@issuer", and what the trail would note of it now.

    The last is None where the row holds no answer at all, such as one of another word than the four.

    Raises:
        StoreError: The database cannot be used.
    """
    after = 0
    while True:
        query = (
            select(ReviewRow, ReaderRow)
            .outerjoin(ReaderRow, ReaderRow.id == ReviewRow.reader_id)
            .where(ReviewRow.id > after)
            .order_by(ReviewRow.id)
            .limit(_CHUNK)
        )
        with store.read() as session:
            found = [
                (row.id, row.study_id, "" if by is None else f"{by.subject}@{by.issuer}", _noted_now(row))
                for row, by in session.execute(query)
            ]
        yield from found
        if len(found) < _CHUNK:
            return
        after = found[-1][0]


def _noted_now(row: ReviewRow) -> dict[str, Any] | None:
    try:
        return noted(review_of(row), row.id)
    except (ValueError, KeyError, TypeError):
        return None
