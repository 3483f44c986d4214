"""One page is drawn after the other, not all side by side.

Python runs one thread at a time. Pages that are drawn side by side share it in slices of milliseconds, and each of
them takes as long as all together; one after the other, the first is there in its own time and the last no later than
it would have been.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE = 2.0
"""Seconds that a page waits for its turn at most; then it is drawn beside the others, so that nothing stops all."""
_TURN = threading.Lock()


class Turn:
    """The right to be drawn while nobody else is."""

    def __init__(self, lock: threading.Lock = _TURN) -> None:
        self._lock, self._held = lock, False

    def wait(self, patience: float = PATIENCE) -> bool:
        """Waits until it is this page's turn, `patience` seconds at most; says whether it is."""
        self._held = self._lock.acquire(timeout=patience)
        return self._held

    def give(self) -> None:
        """Lets the next page be drawn: for whoever has long to go, and for whoever is done. Twice does no harm."""
        if self._held:
            self._held = False
            self._lock.release()


@contextmanager
def in_turn(lock: threading.Lock = _TURN, patience: float = PATIENCE) -> Iterator[Turn]:
    """Draws a page when it is its turn, and lets the next one be drawn however that ends."""
    turn = Turn(lock)
    turn.wait(patience)
    try:
        yield turn
    finally:
        turn.give()
