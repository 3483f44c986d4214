"""Anchors: the chain's head, written down where whoever holds the database cannot reach it.

A chain that was cut at its end is whole in itself. An anchor that names a later event tells that something is gone.
"""

from __future__ import annotations

import json
import os
import re
import syslog
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from medcam.core.errors import InputError, MedcamError
from medcam.store import Store, audit_events, audit_head

SYSLOG = "syslog"
STDOUT = "-"
_LINE = re.compile(r"\{[^{}]*\"medcam_audit_anchor\"[^{}]*\}")


class AnchorError(MedcamError):
    """An anchor cannot be made or written."""

    default_code = "anchor"
    default_next_step = "Check the file and its permissions, and that the trail has events."


@dataclass(frozen=True, slots=True)
class Anchor:
    """The head of the chain at a moment.

    Args:
        number: Of the last event.
        digest: Of the last event, and so of all before it.
        signature: Of both, by the trail's key.
        time: UTC, ISO 8601; empty in an anchor that somebody wrote by hand.
    """

    number: int
    digest: str
    signature: str
    time: str = ""

    @property
    def line(self) -> str:
        """The anchor as one line of JSON."""
        fields = {
            "medcam_audit_anchor": self.number,
            "digest": self.digest,
            "signature": self.signature,
            "time": self.time,
        }
        return json.dumps(fields)


def make_anchor(store: Store) -> Anchor:
    """The anchor of a trail as it is now.

    Raises:
        AnchorError: The trail has no event, or its head names one that is not there.
    """
    head = audit_head(store)
    if not head or head[0] == 0:
        raise AnchorError("the audit trail has no event yet, or its head is gone")
    last = next(audit_events(store, after=head[0] - 1), None)
    if last is None or (last.number, last.digest) != head:
        raise AnchorError("the head of the audit trail names an event that is not there", next_step="Verify the trail.")
    return Anchor(last.number, last.digest, last.signature, datetime.now(UTC).isoformat(timespec="seconds"))


def write_anchor(anchor: Anchor, to: str) -> None:
    """Adds an anchor to a file, on the disk when this returns, or to the system's log.

    Args:
        anchor: The anchor.
        to: A file's name, or "syslog".

    Raises:
        AnchorError: The file cannot be written.
    """
    if to == SYSLOG:
        syslog.syslog(syslog.LOG_NOTICE | syslog.LOG_AUTH, anchor.line)
        return
    try:
        with os.fdopen(os.open(to, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644), "a", encoding="utf-8") as file:
            file.write(anchor.line + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise AnchorError(f"the anchor cannot be written ({error.strerror or type(error).__name__})") from error


def read_anchors(path: Path) -> list[Anchor]:
    """The anchors in a file of anchors or in a log; other lines are passed over.

    Raises:
        InputError: The file cannot be read, or holds no anchor (code `no-anchor`).
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise InputError(f"the anchors cannot be read ({error.strerror or type(error).__name__})") from error
    anchors = list(_found(text))
    if not anchors:
        raise InputError(
            "the file holds no anchor", code="no-anchor", next_step="Write one with `medcam audit anchor --to FILE`."
        )
    return anchors


def _found(text: str) -> Iterator[Anchor]:
    for match in _LINE.finditer(text):
        try:
            fields = json.loads(match.group())
            yield Anchor(
                int(fields["medcam_audit_anchor"]),
                str(fields["digest"]),
                str(fields["signature"]),
                str(fields.get("time", "")),
            )
        except (ValueError, KeyError, TypeError):
            continue
