"""Verification of the audit trail: every event is what it was, none is gone, none has moved, none was slipped in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from medcam.service.audit.anchor import Anchor
from medcam.service.audit.key import Verifier
from medcam.store import GENESIS, AuditEvent, Store, audit_events, audit_head, signed_message


class Fault(StrEnum):
    """What is wrong with an event."""

    EDITED = "edited"
    MOVED = "moved"
    REMOVED = "removed"
    UNSIGNED = "unsigned"
    REWRITTEN = "rewritten"
    TRUNCATED = "truncated"
    UNCOUNTED = "uncounted"
    FALSE_ANCHOR = "false-anchor"

    @property
    def words(self) -> str:
        """The fault in a sentence about its event."""
        return _WORDS[self]


_WORDS = {
    Fault.EDITED: "its content is not what its digest says",
    Fault.MOVED: "it does not follow the event before it",
    Fault.REMOVED: "it is missing",
    Fault.UNSIGNED: "its signature is not by the trail's key",
    Fault.REWRITTEN: "it is not what an anchor says",
    Fault.TRUNCATED: "it is missing: an anchor or the chain's head names a later event",
    Fault.UNCOUNTED: "the chain's head does not know it",
    Fault.FALSE_ANCHOR: "an anchor that names it is not signed by the trail's key",
}


@dataclass(frozen=True, slots=True)
class Verification:
    """What a verification found.

    Args:
        events: How many events were looked at, up to the first fault.
        fault: What is wrong; None where nothing is.
        number: The first event that is wrong.
        proven: The last event that an anchor vouches for; 0 without anchors. Events after it could be gone.
    """

    events: int
    fault: Fault | None = None
    number: int = 0
    proven: int = 0

    @property
    def intact(self) -> bool:
        """Whether no fault was found."""
        return self.fault is None

    @property
    def tail_proven(self) -> bool:
        """Whether an anchor vouches for the last event, so that nothing can have been cut off after it was made."""
        return self.intact and self.events > 0 and self.proven == self.events


def verify_trail(
    store: Store,
    verifier: Verifier,
    anchors: Sequence[Anchor] = (),
    progress: Callable[[int], None] = lambda _: None,
) -> Verification:
    """Goes through the whole trail, up to the first event that is wrong.

    Args:
        store: The database.
        verifier: Of the trail's key.
        anchors: What was written down outside the database.
        progress: Called with the number of each event.

    Returns:
        What was found. A rewritten trail whose writer had no key has a first event that is not signed. Without an
        anchor, events that were cut off the end together with the head's count leave no trace.
    """
    named = {anchor.number: anchor for anchor in anchors}
    before: AuditEvent | None = None
    for event in audit_events(store):
        number = before.number + 1 if before else 1
        fault = _fault(event, number, before.digest if before else GENESIS, verifier, named.get(number))
        if fault is not None:
            return Verification(number, fault, number)
        before = event
        progress(number)
    return _end(store, before, anchors)


def _fault(event: AuditEvent, number: int, previous: str, verifier: Verifier, anchor: Anchor | None) -> Fault | None:
    if event.number != number:
        return Fault.REMOVED if event.number > number else Fault.MOVED
    if event.previous != previous:
        return Fault.MOVED
    if event.computed_digest() != event.digest:
        return Fault.EDITED
    if anchor is not None and not verifier.verify(anchor.signature, signed_message(anchor.number, anchor.digest)):
        return Fault.FALSE_ANCHOR
    if anchor is not None and anchor.digest != event.digest:
        return Fault.REWRITTEN
    if not verifier.verify(event.signature, signed_message(event.number, event.digest)):
        return Fault.UNSIGNED
    return None


def _end(store: Store, last: AuditEvent | None, anchors: Sequence[Anchor]) -> Verification:
    """Whether the chain ends where its head and the anchors say."""
    number, digest = (last.number, last.digest) if last else (0, GENESIS)
    proven = max((anchor.number for anchor in anchors if anchor.number <= number), default=0)
    head = audit_head(store)
    latest = max((anchor.number for anchor in anchors), default=0)
    if latest > number or (head is not None and head[0] > number):
        return Verification(number, Fault.TRUNCATED, number + 1, proven)
    if head is None or head != (number, digest):
        return Verification(number, Fault.UNCOUNTED, (head[0] if head else 0) + 1, proven)
    return Verification(number, proven=proven)
