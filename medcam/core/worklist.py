"""What a worklist is asked, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from medcam.core.errors import InvalidValueError
from medcam.core.study import Study

MOST_COUNTED = 2_500
"""Matches are counted up to here: nobody turns a hundred pages, and a count of all takes its time."""


class ReadingState(StrEnum):
    """How far the reader who asks is with a study."""

    ANY = "any"
    UNREAD = "unread"
    BEGUN = "begun"
    DONE = "done"


class Order(StrEnum):
    """What comes first: the most urgent, the one that came first, or the latest by study date."""

    URGENCY = "urgency"
    RECEIVED = "received"
    DATE = "date"


@dataclass(frozen=True, slots=True)
class WorklistQuery:
    """What is asked for.

    Args:
        text: Part of a patient's ID or name, accession number, description, finding or study's id, in any case.
        state: How far the reader is.
        finding: With this finding as the most urgent one that is present; any where empty.
        flagged: Whether out of distribution; None for either.
        since: Earliest study date, YYYYMMDD; empty for any.
        until: Latest study date.
        order: What comes first.
        longest_wait: In seconds: a study that nobody has read comes before all others once it has waited longer, since
            putting urgent ones first lets the others wait; None for no such limit. With `Order.URGENCY` alone.
        page: From 1.
        size: Studies on a page, 1 to 500.
    """

    text: str = field(default="", repr=False)
    state: ReadingState = ReadingState.ANY
    finding: str = ""
    flagged: bool | None = None
    since: str = ""
    until: str = ""
    order: Order = Order.URGENCY
    longest_wait: float | None = None
    page: int = 1
    size: int = 25

    def __post_init__(self) -> None:
        if self.page < 1 or not 1 <= self.size <= 500:
            raise InvalidValueError("pages count from 1, and hold 1 to 500 studies")
        if self.longest_wait is not None and self.longest_wait < 0:
            raise InvalidValueError("a longest wait is at least 0 s")


@dataclass(frozen=True, slots=True)
class WorklistLine:
    """A study in a worklist.

    Args:
        study: Which one.
        films: How many films it has.
        finding: The most urgent finding that is present; empty where none is, or where the answer is withheld.
        probability: Of that finding.
        rank: The smallest is the most urgent.
        flagged: Whether a film is out of distribution.
        received: Seconds since 1970 UTC.
        readers_done: How many readers have finished it.
        state: How far the reader who asks is.
        overdue: Whether it comes first because it has waited too long.
    """

    study: Study
    films: int
    finding: str
    probability: float | None
    rank: float
    flagged: bool
    received: float
    readers_done: int
    state: ReadingState
    overdue: bool


@dataclass(frozen=True, slots=True)
class WorklistPage:
    """One page; `total` matches in all, counted up to `MOST_COUNTED`."""

    lines: tuple[WorklistLine, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How many studies a reader may read, has begun, and is done with."""

    studies: int
    begun: int
    done: int
