"""Events of the audit trail, for whoever notes or shows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from medcam.service.studies.opened import OpenedStore
from medcam.store import AuditDraft, AuditEvent, find_events

__all__ = ["AuditEvent", "events", "note"]


def note(opened: OpenedStore, kind: str, reader: str, body: Mapping[str, Any], *, study: str = "") -> None:
    """Notes an event; it is on the disk when this returns.

    Args:
        opened: The store.
        kind: What happened, one kebab-case word.
        reader: Who did it, as "subject@issuer".
        body: Details, as JSON values.
        study: Id of the study that it is about; empty where it is about none.

    Raises:
        StoreError: The database cannot be used.
        InvalidValueError: The details are no JSON values.
    """
    opened.trail.append(AuditDraft(kind, reader[:420], study, body))


def events(
    opened: OpenedStore,
    *,
    kind: str = "",
    reader: str = "",
    study: str = "",
    before: int | None = None,
    limit: int = 100,
) -> list[AuditEvent]:
    """Events by what they are about, the newest first; see `medcam.store.find_events`."""
    return find_events(opened.store, kind=kind, reader=reader, study=study, before=before, limit=limit)
