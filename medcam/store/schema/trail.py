"""Tables of the audit trail: signed events in a hash chain, and its head."""

from __future__ import annotations

from sqlalchemy import Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from medcam.store.schema.base import DIGEST, SHORT_ID, Base


class AuditEventRow(Base):
    """One link. Its columns are texts, since what is hashed must be what is stored, whatever the database."""

    __tablename__ = "audit_events"
    __table_args__ = (
        Index("audit_events_study", "study", "number"),
        Index("audit_events_reader", "reader", "number"),
        Index("audit_events_kind", "kind", "number"),
    )

    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    time: Mapped[str] = mapped_column(String(32))
    kind: Mapped[str] = mapped_column(String(32))
    reader: Mapped[str] = mapped_column(String(420))
    study: Mapped[str] = mapped_column(String(SHORT_ID))
    body: Mapped[str] = mapped_column(Text)
    previous: Mapped[str] = mapped_column(String(DIGEST))
    digest: Mapped[str] = mapped_column(String(DIGEST))
    signature: Mapped[str] = mapped_column(String(128))


class AuditHeadRow(Base):
    """The last link's number and digest; one row. Writers of the trail wait for each other here."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(Integer)
    digest: Mapped[str] = mapped_column(String(DIGEST))
