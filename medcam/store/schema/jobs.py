"""The table of jobs."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, Float, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from medcam.store.schema.base import Base

UNFINISHED = text("state IN ('waiting', 'running')")
"""Jobs of which there is one per key at most."""


class JobRow(Base):
    """One job."""

    __tablename__ = "jobs"
    __table_args__ = (
        Index("jobs_one_unfinished_per_key", "key", unique=True, sqlite_where=UNFINISHED, postgresql_where=UNFINISHED),
        Index("jobs_due", "state", "kind", "not_before"),
        Index("jobs_key", "key"),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    kind: Mapped[str] = mapped_column(String(32))
    key: Mapped[str] = mapped_column(String(200))
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(String(8))
    wanted: Mapped[int] = mapped_column(Integer, default=1)
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    failures: Mapped[int] = mapped_column(Integer, default=0)
    losses: Mapped[int] = mapped_column(Integer, default=0)
    not_before: Mapped[float] = mapped_column(Float)
    lease_owner: Mapped[str | None] = mapped_column(String(200))
    lease_until: Mapped[float | None] = mapped_column(Float)
    error_code: Mapped[str | None] = mapped_column(String(64))
    error_message: Mapped[str | None] = mapped_column(Text)
    created: Mapped[float] = mapped_column(Float)
    updated: Mapped[float] = mapped_column(Float)
    client: Mapped[str] = mapped_column(String(200), default="", server_default="")


class JobTurnRow(Base):
    """When a client's turn was last, as a number that grows with every turn of anybody."""

    __tablename__ = "job_turns"

    client: Mapped[str] = mapped_column(String(200), primary_key=True)
    served: Mapped[int] = mapped_column(Integer)
