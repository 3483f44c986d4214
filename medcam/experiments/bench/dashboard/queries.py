"""How long a worklist takes to be found in a large store, as each kind of reader asks for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from medcam.core.reader import Reader
from medcam.core.worklist import Order, ReadingState, WorklistQuery
from medcam.service.studies.opened import OpenedStore

HOUR = 3600.0
_DEFAULT = WorklistQuery(longest_wait=24 * HOUR)


@dataclass(frozen=True, slots=True)
class Question:
    """One thing that a worklist is asked.

    Args:
        name: Of the figure.
        words: What is asked, for a page.
        ask: Asks it.
    """

    name: str
    words: str
    ask: Callable[[], object]


@dataclass(frozen=True, slots=True)
class Answered:
    """How long a question took, each time that it was asked.

    Args:
        name: Of the question.
        words: What is asked.
        seconds: Each time.
    """

    name: str
    words: str
    seconds: tuple[float, ...]


def questions(opened: OpenedStore, readers: Mapping[str, Reader], now: float) -> tuple[Question, ...]:
    """What is asked of a store that `fill_store` filled.

    Args:
        opened: The store.
        readers: "veteran", who has read most of the archive, "newcomer", who has read nothing, and "assigned", who may
            read what is assigned to them alone.
        now: Seconds since 1970 UTC.
    """
    ways: tuple[tuple[str, str, str, WorklistQuery], ...] = (
        ("default", "the first page, the most urgent first", "veteran", _DEFAULT),
        ("overdue", "the same, many studies have waited too long", "veteran", replace(_DEFAULT, longest_wait=4 * HOUR)),
        ("page-2", "the second page", "veteran", replace(_DEFAULT, page=2)),
        ("page-50", "the 50th page", "veteran", replace(_DEFAULT, page=50)),
        ("unread", "not opened yet, by who has read most", "veteran", replace(_DEFAULT, state=ReadingState.UNREAD)),
        ("unread-all", "not opened yet, by who is new", "newcomer", replace(_DEFAULT, state=ReadingState.UNREAD)),
        ("begun", "begun", "veteran", replace(_DEFAULT, state=ReadingState.BEGUN)),
        ("done", "done", "veteran", replace(_DEFAULT, state=ReadingState.DONE)),
        ("text-few", "a text that one study has", "veteran", replace(_DEFAULT, text="A00000123")),
        ("text-many", "a text that every 16th study has", "veteran", replace(_DEFAULT, text="doe")),
        ("text-none", "a text that no study has", "veteran", replace(_DEFAULT, text="no such text")),
        ("finding", "a leading finding", "veteran", replace(_DEFAULT, finding="Nodule")),
        ("assigned", "what is assigned to the reader", "assigned", _DEFAULT),
        ("assigned-unread", "of that, not opened", "assigned", replace(_DEFAULT, state=ReadingState.UNREAD)),
        ("by-date", "the latest study date first", "veteran", replace(_DEFAULT, order=Order.DATE)),
    )

    def page_of(reader: Reader, query: WorklistQuery) -> Callable[[], object]:
        return lambda: opened.worklist.page(query, reader, now)

    asked = [Question(name, words, page_of(readers[who], query)) for name, words, who, query in ways]
    veteran = readers["veteran"]
    asked.append(Question("progress", "how far the reader is", lambda: opened.worklist.progress(veteran)))
    asked.append(Question("findings", "which findings there are to choose from", opened.worklist.findings))
    return tuple(asked)


def answer_all(
    asked: tuple[Question, ...], repeats: int, clock: Callable[[], float] = time.perf_counter
) -> tuple[Answered, ...]:
    """Asks every question so many times, in turns, after one time that does not count.

    Args:
        asked: From `questions`.
        repeats: How often each is asked.
        clock: Seconds.
    """
    seconds: dict[str, list[float]] = {one.name: [] for one in asked}
    for turn in range(repeats + 1):
        for one in asked:
            began = clock()
            one.ask()
            if turn:
                seconds[one.name].append(clock() - began)
    return tuple(Answered(one.name, one.words, tuple(seconds[one.name])) for one in asked)
