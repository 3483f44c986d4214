"""Tables of what readers answered. Reviews are only ever added: a changed mind is a new row."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, Float, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from medcam.store.schema.base import SHORT_ID, Base


class ReviewRow(Base):
    """One answer of one reader to one finding of one film.

    `phase` is "blind" where the reader had not been shown what the model says, "aided" where they had.
    """

    __tablename__ = "reviews"
    __table_args__ = (
        Index("reviews_study", "study_id", "reader_id"),
        Index("reviews_reader", "reader_id", "created"),
        Index("reviews_finding", "finding", "created"),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    study_id: Mapped[str] = mapped_column(ForeignKey("studies.id"))
    radiograph_id: Mapped[str] = mapped_column(ForeignKey("radiographs.id"))
    explanation_id: Mapped[str | None] = mapped_column(String(SHORT_ID), ForeignKey("explanations.id"))
    reader_id: Mapped[int] = mapped_column(ForeignKey("readers.id"))
    phase: Mapped[str] = mapped_column(String(8))
    finding: Mapped[str] = mapped_column(String(100))
    answer: Mapped[str] = mapped_column(String(16))
    confidence: Mapped[float | None] = mapped_column(Float)
    region: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    comment: Mapped[str] = mapped_column(Text)
    display: Mapped[dict[str, Any]] = mapped_column(JSON)
    seconds: Mapped[float | None] = mapped_column(Float)
    created: Mapped[float] = mapped_column(Float)


class ReadingRow(Base):
    """How far a reader is with a study: begun when it is first opened, done when the reader says so."""

    __tablename__ = "readings"
    __table_args__ = (
        Index("readings_study", "study_id"),
        Index("readings_progress", "reader_id", "done", "study_id"),
    )

    reader_id: Mapped[int] = mapped_column(ForeignKey("readers.id"), primary_key=True)
    study_id: Mapped[str] = mapped_column(ForeignKey("studies.id"), primary_key=True)
    begun: Mapped[float] = mapped_column(Float)
    done: Mapped[float | None] = mapped_column(Float)
    seconds: Mapped[float] = mapped_column(Float)
