"""How often a client may ask: a bucket of allowances that fills up steadily."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from medcam.server.api.problems import ApiError

_MOST_CLIENTS = 10_000


class Rates:
    """Allowances per client. Safe for several threads.

    Args:
        per_minute: Allowances that a client gets in a minute, and most that it can save up.
        clock: Seconds.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second, self._most, self._clock = per_minute / 60.0, float(per_minute), clock
        self._lock = threading.Lock()
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, client: str) -> None:
        """Takes one allowance.

        Raises:
            ApiError: None is left (429, code `too-many-requests`), with Retry-After.
        """
        now = self._clock()
        with self._lock:
            left, seen = self._left.pop(client, (self._most, now))
            left = min(self._most, left + (now - seen) * self._per_second)
            self._left[client] = (left - 1.0 if left >= 1.0 else left, now)
            while len(self._left) > _MOST_CLIENTS:
                del self._left[next(iter(self._left))]
        if left < 1.0:
            raise too_many("too many requests", math.ceil((1.0 - left) / self._per_second))


class Streams:
    """How many streams a client holds open. Safe for several threads.

    Args:
        most: Of one client.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._open: dict[str, int] = {}

    @contextmanager
    def one(self, client: str) -> Iterator[None]:
        """A stream for as long as the block lasts.

        Raises:
            ApiError: The client holds too many (429).
        """
        with self._lock:
            if self._open.get(client, 0) >= self._most:
                raise too_many(f"{self._most} streams of events are open already", 10)
            self._open[client] = self._open.get(client, 0) + 1
        try:
            yield
        finally:
            with self._lock:
                self._open[client] -= 1
                if not self._open[client]:
                    del self._open[client]


def too_many(what: str, seconds: int) -> ApiError:
    """429, with Retry-After."""
    return ApiError(
        429,
        what,
        code="too-many-requests",
        next_step=f"Wait {seconds} seconds.",
        headers={"Retry-After": str(seconds)},
    )
