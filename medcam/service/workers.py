"""Linear algebra in processes and threads that work side by side on one machine.

The matrices of a film are small. Threads that share them wait for one another, and where every process of a pool starts
as many as there are cores, a film takes four times as long.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np  # noqa: F401  only libraries that are loaded can be told
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]


def one_blas_thread() -> None:
    """Keeps the linear algebra that this process has loaded to one thread; for the initializer of a pool."""
    threadpool_limits(1, user_api="blas")


class _Limit:
    """One limit for all who ask for it at the same time: the first one sets it, the last one resets it.

    The libraries have one setting for all threads, so that limits of their own would reset one another's. And to look
    for the libraries takes 6 ms, which runs within the block of a worker need not spend again.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._limits: threadpool_limits | None = None

    @contextmanager
    def held(self) -> Iterator[None]:
        with self._lock:
            if self._inside == 0:
                self._limits = threadpool_limits(1, user_api="blas")
            self._inside += 1
        try:
            yield
        finally:
            with self._lock:
                self._inside -= 1
                if self._inside == 0 and self._limits is not None:
                    self._limits.restore_original_limits()
                    self._limits = None


_LIMIT = _Limit()


@contextmanager
def films_side_by_side() -> Iterator[None]:
    """Keeps linear algebra to one thread within the block; blocks may overlap, in any order, in any threads."""
    with _LIMIT.held():
        yield
