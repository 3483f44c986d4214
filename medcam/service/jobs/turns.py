"""How several workers of one process share its work: by their clients' turns, and what kills workers alone."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from medcam.store import FairClaims, Job


class FairTurns:
    """Gives jobs to the workers of one process.

    Jobs that no worker died over are done side by side. One that a worker died over is done alone: the others of the
    process end first and wait, so that what kills the process takes nothing else with it.

    Args:
        claims: The jobs of the store.
    """

    def __init__(self, claims: FairClaims) -> None:
        self._claims = claims
        self._changed = threading.Condition()
        self._together, self._alone = 0, False

    @contextmanager
    def claimed(self, kinds: Collection[str], owner: str, lease: float) -> Iterator[Job | None]:
        """A job for as long as the block lasts; None where there is none for this worker now.

        Args:
            kinds: What the worker can do.
            owner: The worker.
            lease: Seconds of the lease.
        """
        if self._claims.any_lost(kinds) and self._close():
            with self._open_after():
                yield self._claims.claim(kinds, owner, lease, lost=True)
        else:
            with self._beside():
                yield self._claims.claim(kinds, owner, lease)

    def _close(self) -> bool:
        """Waits until nobody else works; False where another one is closing already."""
        with self._changed:
            if self._alone:
                return False
            self._alone = True
            self._changed.wait_for(lambda: self._together == 0)
            return True

    @contextmanager
    def _open_after(self) -> Iterator[None]:
        try:
            yield
        finally:
            with self._changed:
                self._alone = False
                self._changed.notify_all()

    @contextmanager
    def _beside(self) -> Iterator[None]:
        with self._changed:
            self._changed.wait_for(lambda: not self._alone)
            self._together += 1
        try:
            yield
        finally:
            with self._changed:
                self._together -= 1
                self._changed.notify_all()
