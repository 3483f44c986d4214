"""A job of the queue, as a frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class JobState(StrEnum):
    """Where a job stands. FAILED is the dead letter: nobody tries it again unless asked to."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it was when it was claimed or listed.

    Args:
        id: Its number.
        kind: What is to be done; decides who does it.
        key: What it is about; one unfinished job per key.
        payload: JSON values for whoever does it. No patient data.
        state: Where it stands.
        wanted: How often it was asked for.
        attempts: How often it was claimed: also the token by which a worker shows that its lease is the last one.
        failures: How often it failed with an error since it was last asked for.
        losses: How often its worker died or fell silent since it was last asked for.
        error_code: Of the last failure; empty when there was none.
        error_message: Of the last failure.
        created: Seconds since 1970 UTC.
        updated: Seconds since 1970 UTC.
    """

    id: int
    kind: str
    key: str
    payload: Mapping[str, Any] = field(repr=False)
    state: JobState
    wanted: int
    attempts: int
    failures: int
    losses: int
    error_code: str
    error_message: str
    created: float
    updated: float
