"""How far the submissions are that streams of events wait for: looked up for all of them at once.

Many clients that wait must not take the processor from those who work for them. Whoever finds that nobody has looked
for a while looks for everybody.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from medcam.service.submissions.status import SubmissionStatus
from medcam.service.submissions.submission import Submission

Look = Callable[[Collection[Submission]], Mapping[str, SubmissionStatus | None]]


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of a submission.

    Args:
        status: How far it was; None where it was let go of.
        when: Seconds by the clock.
    """

    status: SubmissionStatus | None
    when: float


class Looks:
    """What was last seen of each submission that somebody watches. Safe for several threads.

    Args:
        look: Looks for many at once.
        clock: Seconds.
    """

    def __init__(self, look: Look, clock: Callable[[], float] = time.monotonic) -> None:
        self._look, self._clock = look, clock
        self._lock = threading.Lock()
        self._watched: dict[str, tuple[Submission, int]] = {}
        self._seen: dict[str, Seen] = {}
        self._looking = 0

    @contextmanager
    def watching(self, submission: Submission) -> Iterator[None]:
        """Watches a submission for as long as the block lasts."""
        with self._lock:
            _, many = self._watched.get(submission.id, (submission, 0))
            self._watched[submission.id] = (submission, many + 1)
        try:
            yield
        finally:
            with self._lock:
                _, many = self._watched.pop(submission.id)
                if many > 1:
                    self._watched[submission.id] = (submission, many - 1)
                else:
                    self._seen.pop(submission.id, None)

    def seen(self, submission: Submission, younger: float) -> Seen | None:
        """What was seen less than so many seconds ago, or longer ago while somebody looks; None where it is time to."""
        with self._lock:
            seen = self._seen.get(submission.id)
            if seen is None or not (self._looking or self._clock() - seen.when < younger):
                return None
            return seen

    def look(self, submission: Submission) -> Seen:
        """Looks for all that are watched, this one among them.

        Raises:
            StoreError: The database cannot be used.
        """
        with self._lock:
            watched = [one for one, _ in self._watched.values()]
            self._looking += 1
        try:
            found = self._look(watched)
            now = self._clock()
        finally:
            with self._lock:
                self._looking -= 1
        seen = {name: Seen(status, now) for name, status in found.items()}
        with self._lock:
            self._seen.update({name: one for name, one in seen.items() if name in self._watched})
        return seen[submission.id]
