"""Processes that work side by side on one machine."""

from __future__ import annotations

import numpy as np  # noqa: F401  only libraries that are loaded can be told
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]


def one_blas_thread() -> None:
    """Keeps the linear algebra that this process has loaded to one thread; for the initializer of a pool.

    The matrices of a film are small. Threads that share them wait for one another, and where every process of a pool
    starts as many as there are cores, a film takes four times as long.
    """
    threadpool_limits(1, user_api="blas")
