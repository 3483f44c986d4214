"""Whether what a store holds is what its audit trail noted: no explanation and no answer changed, gone or slipped in.

The trail alone says what was done. A row that somebody deletes or edits by hand leaves it whole; held against the
trail, the row shows. Nothing in medcam ever deletes an explanation or an answer, or changes one.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from medcam.store import AuditEvent, KeptExplanation, Store, audit_events, explanations_now, reviews_now

EXPLANATION, REVIEW = "explanation", "review"
_MADE_OF = ("explanation_sha256", "model", "version", "weights_sha256")
"""Fields of the event of an answer that are about the explanation."""
_ROUNDED = 1e-6
"""Digits of `explanation.json` are fewer than those of lists."""


class RecordFault(StrEnum):
    """What is wrong with a record."""

    MISSING = "record-missing"
    CHANGED = "record-changed"
    UNKNOWN = "record-unknown"

    @property
    def words(self) -> str:
        """The fault in a sentence about the record."""
        return _WORDS[self]


_WORDS = {
    RecordFault.MISSING: "the trail noted it, and it is not there",
    RecordFault.CHANGED: "it is not what the trail noted",
    RecordFault.UNKNOWN: "it is there, and the trail never noted it",
}


@dataclass(frozen=True, slots=True)
class FaultyRecord:
    """A record that is not as it was noted.

    Args:
        kind: "explanation" or "review".
        id: Of the explanation, or the number of the answer.
        event: Number of the event that noted it; 0 where none did.
        fault: What is wrong.
    """

    kind: str
    id: str
    event: int
    fault: RecordFault


@dataclass(frozen=True, slots=True)
class RecordsVerification:
    """What was found.

    Args:
        explanations: How many the store holds.
        reviews: How many answers it holds.
        faults: Those that are not as they were noted, missing ones too.
    """

    explanations: int
    reviews: int
    faults: tuple[FaultyRecord, ...]

    @property
    def intact(self) -> bool:
        """Whether all are as they were noted."""
        return not self.faults


@dataclass(eq=False)
class _Noted:
    """What the trail noted: event number and digest, by kind and id."""

    records: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict)
    last: int = 0

    def read(self, store: Store, progress: Callable[[int], None]) -> None:
        """Takes in the events that came since it read last."""
        for event in audit_events(store, after=self.last):
            body = event.details
            if event.kind == "explanation-kept":
                key, digest = (EXPLANATION, str(body.get("explanation"))), str(body.get("explanation_sha256"))
                self.records[key] = (event.number, digest)
            elif event.kind == "review-added":
                self.records[REVIEW, str(body.get("review"))] = (event.number, _answer_of(event, body))
            self.last = event.number
            progress(event.number)


def verify_records(store: Store, progress: Callable[[int], None] = lambda _: None) -> RecordsVerification:
    """Holds every explanation and every answer against the event that noted it.

    What others add meanwhile is no fault: the trail is read before the rows, and what came since after them. Whether
    the trail itself is whole is asked by `verify_trail`.

    Args:
        store: The database.
        progress: Called with the number of each event that was read.

    Raises:
        StoreError: The database cannot be used.
    """
    noted = _Noted()
    noted.read(store, progress)
    before = noted.last
    now = {(EXPLANATION, one): _digest(kept) for one, kept in explanations_now(store)}
    now |= {
        (REVIEW, str(number)): "" if body is None else _answer(study, by, body)
        for number, study, by, body in reviews_now(store)
    }
    noted.read(store, progress)
    faults = [
        FaultyRecord(*key, event, RecordFault.CHANGED if key in now else RecordFault.MISSING)
        for key, (event, digest) in noted.records.items()
        if now.get(key) != digest and (key in now or event <= before)
    ]
    faults += [FaultyRecord(*key, 0, RecordFault.UNKNOWN) for key in now if key not in noted.records]
    explanations = sum(kind == EXPLANATION for kind, _ in now)
    return RecordsVerification(explanations, len(now) - explanations, tuple(faults))


def _digest(kept: KeptExplanation) -> str:
    """Of an explanation's content; empty where it cannot be read, or what lists show of it is not what it says."""
    try:
        said = {str(one["name"]): one for one in json.loads(kept.content)["findings"]}
        alike = said.keys() == {one.name for one in kept.findings} and all(
            said[one.name]["present"] == one.present
            and abs(said[one.name]["probability"] - one.probability) <= _ROUNDED
            and abs(said[one.name]["threshold"] - one.threshold) <= _ROUNDED
            for one in kept.findings
        )
    except (ValueError, KeyError, TypeError, zlib.error):
        return ""
    return kept.sha256 if alike else ""


def _answer_of(event: AuditEvent, body: Mapping[str, Any]) -> str:
    return _answer(event.study, event.reader, {name: value for name, value in body.items() if name not in _MADE_OF})


def _answer(study: str, by: str, body: Mapping[str, Any]) -> str:
    """Digest of an answer, study and reader with it: a trail may hold millions."""
    return hashlib.sha256(json.dumps([study, by, body], sort_keys=True).encode()).hexdigest()
