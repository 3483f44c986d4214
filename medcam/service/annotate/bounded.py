"""Work in threads with back-pressure: nothing runs far ahead of what is taken, so memory stays bounded."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


@contextmanager
def threads(count: int, name: str) -> Iterator[ThreadPoolExecutor]:
    """A pool of threads; when its block is left by an exception (Ctrl-C among them), only running work is finished.

    Args:
        count: How many.
        name: Shown by debuggers and profilers.
    """
    pool = ThreadPoolExecutor(count, thread_name_prefix=name)
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=True, cancel_futures=True)
        raise
    pool.shutdown(wait=True)


def bounded_map(pool: Executor, function: Callable[[T], R], items: Iterable[T], ahead: int) -> Iterator[R]:
    """Applies a function in a pool, in order, with a bound on what is in flight.

    Args:
        pool: Where it runs.
        function: What runs.
        items: Taken one by one, as results are taken.
        ahead: Results that may be under way or wait to be taken.

    Yields:
        Results in the order of the items.
    """
    pending: deque[Future[R]] = deque()
    for item in items:
        pending.append(pool.submit(function, item))
        if len(pending) >= ahead:
            yield pending.popleft().result()
    while pending:
        yield pending.popleft().result()


def batches(items: Iterable[T], count: int) -> Iterator[list[T]]:
    """Groups items in order: full groups, and at the end what is left.

    Args:
        items: What to group.
        count: Items in a group.
    """
    taken = iter(items)
    while batch := list(islice(taken, count)):
        yield batch
