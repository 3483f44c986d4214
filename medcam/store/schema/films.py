"""Tables of what was annotated: studies, their radiographs, and what models said of them. Patient data."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from medcam.store.schema.base import DIGEST, SHORT_ID, Base


class StudyRow(Base):
    """One study, with what a worklist shows of it.

    `rank` (the smallest is to be read first), `finding` and `flagged` repeat what the newest explanations of its films
    say, so that a worklist needs no other table; so does `readers_done`, how many have finished reading it. `search` is
    what a search looks through, in capital letters. `received` is when its first film came.
    """

    __tablename__ = "studies"
    __table_args__ = (
        Index("studies_rank", "rank", "id", "received", "readers_done"),
        Index("studies_waiting", "readers_done", "received", "rank"),
        Index("studies_received", "received", "id"),
        Index("studies_date", "study_date", "id"),
        Index("studies_patient", "patient_id", "issuer", "study_date"),
        Index("studies_finding", "finding", "rank"),
        Index("studies_listed", "id", "rank", "received", "study_date", "readers_done"),
    )

    id: Mapped[str] = mapped_column(String(SHORT_ID), primary_key=True)
    uid: Mapped[str] = mapped_column(String(128))
    patient_id: Mapped[str] = mapped_column(String(128))
    issuer: Mapped[str] = mapped_column(String(128))
    patient_name: Mapped[str] = mapped_column(String(400))
    accession_number: Mapped[str] = mapped_column(String(64))
    study_date: Mapped[str] = mapped_column(String(8))
    description: Mapped[str] = mapped_column(String(200))
    films: Mapped[int] = mapped_column(Integer)
    finding: Mapped[str] = mapped_column(String(100))
    probability: Mapped[float | None] = mapped_column(Float)
    rank: Mapped[float] = mapped_column(Float)
    flagged: Mapped[bool] = mapped_column(Boolean)
    readers_done: Mapped[int] = mapped_column(Integer)
    received: Mapped[float] = mapped_column(Float)
    search: Mapped[str] = mapped_column(Text)


class RadiographRow(Base):
    """One film. `pixels` and `source` say where its packed pixels and its DICOM file lie; see `medcam.service`."""

    __tablename__ = "radiographs"
    __table_args__ = (Index("radiographs_study", "study_id"), Index("radiographs_sha256", "sha256"))

    id: Mapped[str] = mapped_column(String(SHORT_ID), primary_key=True)
    study_id: Mapped[str] = mapped_column(ForeignKey("studies.id"))
    uid: Mapped[str] = mapped_column(String(128))
    sha256: Mapped[str] = mapped_column(String(DIGEST))
    source: Mapped[str] = mapped_column(Text)
    view: Mapped[str] = mapped_column(String(16))
    display: Mapped[dict[str, Any]] = mapped_column(JSON)
    attributes: Mapped[dict[str, Any]] = mapped_column(JSON)
    zones: Mapped[bytes | None] = mapped_column(LargeBinary)
    created: Mapped[float] = mapped_column(Float)


class ModelRow(Base):
    """A model as it was when it spoke: its card whole, so that thresholds and scales of old answers stay known."""

    __tablename__ = "models"
    __table_args__ = (Index("models_name", "name", "created"),)

    card_sha256: Mapped[str] = mapped_column(String(DIGEST), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    version: Mapped[str] = mapped_column(String(64))
    weights_sha256: Mapped[str] = mapped_column(String(DIGEST))
    card: Mapped[str] = mapped_column(Text)
    created: Mapped[float] = mapped_column(Float)


class ExplanationRow(Base):
    """What one model said of one film, whole, as packed `explanation.json`. Never changed: a new run adds a row.

    `content` is by far the largest column: it is read where it is asked for, and not with the others.
    """

    __tablename__ = "explanations"
    __table_args__ = (
        UniqueConstraint("radiograph_id", "request", name="explanations_once_per_request"),
        Index("explanations_radiograph", "radiograph_id", "created"),
        Index("explanations_created", "created", "id"),
    )

    id: Mapped[str] = mapped_column(String(SHORT_ID), primary_key=True)
    radiograph_id: Mapped[str] = mapped_column(ForeignKey("radiographs.id"))
    request: Mapped[str] = mapped_column(String(DIGEST))
    card_sha256: Mapped[str] = mapped_column(ForeignKey("models.card_sha256"))
    model: Mapped[str] = mapped_column(String(200))
    version: Mapped[str] = mapped_column(String(64))
    weights_sha256: Mapped[str] = mapped_column(String(DIGEST))
    method: Mapped[str] = mapped_column(String(64))
    flagged: Mapped[bool] = mapped_column(Boolean)
    rank: Mapped[float] = mapped_column(Float)
    sha256: Mapped[str] = mapped_column(String(DIGEST))
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    created: Mapped[float] = mapped_column(Float)


class FindingRow(Base):
    """One finding of an explanation, as far as lists and statistics need it; `present` is null when withheld."""

    __tablename__ = "findings"
    __table_args__ = (Index("findings_name", "name", "present"),)

    explanation_id: Mapped[str] = mapped_column(ForeignKey("explanations.id"), primary_key=True)
    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    probability: Mapped[float] = mapped_column(Float)
    threshold: Mapped[float] = mapped_column(Float)
    margin: Mapped[float] = mapped_column(Float)
    present: Mapped[bool | None] = mapped_column(Boolean)
