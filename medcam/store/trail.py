"""The audit trail: every event commits to all events before it, and is signed by a key that is not in the database.

    digest = SHA-256 of the JSON list [number, time, kind, reader, study, body, digest of the event before]
    signature = of "medcam-audit", number and digest

A writer holds the row of the chain's head while it adds a link, so that two writers never fork the chain.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from medcam.core.errors import InvalidValueError
from medcam.store.engine import Store
from medcam.store.errors import StoreError
from medcam.store.schema import AuditEventRow, AuditHeadRow

GENESIS = "0" * 64
"""What the first event names as the digest before it."""
HEAD = 1
"""Of the only row of the chain's head."""
SYSTEM = "medcam"
"""The reader of events that nobody at a screen caused."""

_CHUNK = 1000


@dataclass(frozen=True, slots=True)
class AuditDraft:
    """What is to be noted.

    Args:
        kind: What happened, one kebab-case word such as "review-added".
        reader: Who did it.
        study: Id of the study that it is about; empty where it is about none.
        body: Details, as JSON values.
    """

    kind: str
    reader: str = SYSTEM
    study: str = ""
    body: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One link of the chain, as it is stored.

    Args:
        number: Its place, from 1.
        time: UTC, ISO 8601 with microseconds.
        kind: What happened.
        reader: Who did it.
        study: Id of a study or empty.
        body: JSON text.
        previous: Digest of the event before.
        digest: Its own digest.
        signature: Of number and digest.
    """

    number: int
    time: str
    kind: str
    reader: str
    study: str
    body: str
    previous: str
    digest: str
    signature: str

    @property
    def details(self) -> dict[str, Any]:
        """The body, parsed; empty where it is not what medcam writes."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def computed_digest(self) -> str:
        """The digest that its content has."""
        parts = (self.number, self.time, self.kind, self.reader, self.study, self.body, self.previous)
        return hashlib.sha256(json.dumps(parts, ensure_ascii=True).encode("ascii")).hexdigest()


def signed_message(number: int, digest: str) -> bytes:
    """What a signature of an event, and so of the chain up to it, is made of."""
    return f"medcam-audit {number} {digest}".encode("ascii")


def _now() -> datetime:
    return datetime.now(UTC)


class AuditTrail:
    """The trail of a store. All methods raise `StoreError` where the database cannot be used.

    Args:
        store: The database.
        sign: Signs a message, in hexadecimal digits.
        clock: The time, with its zone.
    """

    def __init__(self, store: Store, sign: Callable[[bytes], str], clock: Callable[[], datetime] = _now) -> None:
        self._store, self._sign, self._clock = store, sign, clock

    def append(self, draft: AuditDraft) -> AuditEvent:
        """Notes an event; it is on the disk when this returns."""
        with self._store.begin() as session:
            return self.add(session, draft)

    def add(self, session: Session, draft: AuditDraft) -> AuditEvent:
        """Notes an event in a transaction of somebody else: both are kept, or neither.

        Raises:
            StoreError: The trail has no head: it was tampered with (code `audit-head`).
            InvalidValueError: The details are no JSON values.
        """
        head = session.get(AuditHeadRow, HEAD, with_for_update=True, populate_existing=True)
        if head is None:
            raise StoreError(
                "the audit trail has no head",
                code="audit-head",
                next_step="Run `medcam audit verify`, and restore the database from a backup.",
            )
        event = self._event(head.number + 1, head.digest, draft)
        names = ("number", "time", "kind", "reader", "study", "body", "previous", "digest", "signature")
        session.add(AuditEventRow(**{name: getattr(event, name) for name in names}))
        head.number, head.digest = event.number, event.digest
        session.flush()
        return event

    def _event(self, number: int, previous: str, draft: AuditDraft) -> AuditEvent:
        try:
            body = json.dumps(dict(draft.body), sort_keys=True, separators=(",", ":"), allow_nan=False)
        except (TypeError, ValueError) as error:
            raise InvalidValueError(f"details of an audit event must be JSON values ({error})") from error
        time = self._clock().astimezone(UTC).isoformat(timespec="microseconds")
        bare = AuditEvent(number, time, draft.kind, draft.reader, draft.study, body, previous, "", "")
        digest = bare.computed_digest()
        signature = self._sign(signed_message(number, digest))
        return AuditEvent(number, time, draft.kind, draft.reader, draft.study, body, previous, digest, signature)


def audit_head(store: Store) -> tuple[int, str] | None:
    """Number and digest of the chain's head as the database has them; None where its row is gone."""
    with store.read() as session:
        row = session.get(AuditHeadRow, HEAD)
        return None if row is None else (row.number, row.digest)


def audit_events(store: Store, *, after: int = 0) -> Iterator[AuditEvent]:
    """All events after a number, in the chain's order, as the database has them now."""
    while True:
        query = select(AuditEventRow).where(AuditEventRow.number > after).order_by(AuditEventRow.number).limit(_CHUNK)
        with store.read() as session:
            found = [_event_of(row) for row in session.scalars(query)]
        yield from found
        if len(found) < _CHUNK:
            return
        after = found[-1].number


def find_events(
    store: Store, *, kind: str = "", reader: str = "", study: str = "", before: int | None = None, limit: int = 100
) -> list[AuditEvent]:
    """Events by what they are about, the newest first.

    Args:
        store: The database.
        kind: Of this kind alone; any where empty.
        reader: By this reader alone.
        study: About this study alone.
        before: With smaller numbers alone.
        limit: How many at the most.
    """
    query = select(AuditEventRow).order_by(AuditEventRow.number.desc()).limit(limit)
    for column, wanted in ((AuditEventRow.kind, kind), (AuditEventRow.reader, reader), (AuditEventRow.study, study)):
        if wanted:
            query = query.where(column == wanted)
    if before is not None:
        query = query.where(AuditEventRow.number < before)
    with store.read() as session:
        return [_event_of(row) for row in session.scalars(query)]


def _event_of(row: AuditEventRow) -> AuditEvent:
    names = ("number", "time", "kind", "reader", "study", "body", "previous", "digest", "signature")
    return AuditEvent(**{name: getattr(row, name) for name in names})
