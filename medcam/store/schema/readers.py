"""Tables of who reads what."""

from __future__ import annotations

from sqlalchemy import Boolean, Float, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from medcam.store.schema.base import SHORT_ID, Base


class ReaderRow(Base):
    """Somebody who may sign in. `roles` holds words separated by spaces; `everything` lifts the need of assignments."""

    __tablename__ = "readers"
    __table_args__ = (UniqueConstraint("issuer", "subject", name="readers_once"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    issuer: Mapped[str] = mapped_column(String(200))
    subject: Mapped[str] = mapped_column(String(200))
    name: Mapped[str] = mapped_column(String(200))
    roles: Mapped[str] = mapped_column(String(64))
    everything: Mapped[bool] = mapped_column(Boolean)
    active: Mapped[bool] = mapped_column(Boolean)
    created: Mapped[float] = mapped_column(Float)


class AssignmentRow(Base):
    """A study that a reader is asked to read."""

    __tablename__ = "assignments"
    __table_args__ = (Index("assignments_study", "study_id"),)

    reader_id: Mapped[int] = mapped_column(ForeignKey("readers.id"), primary_key=True)
    study_id: Mapped[str] = mapped_column(String(SHORT_ID), ForeignKey("studies.id"), primary_key=True)
    created: Mapped[float] = mapped_column(Float)
