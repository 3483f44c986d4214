"""A pool of processes that starts none, for tests that count and change what is done in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any


class SameProcess:
    """Stands in for a pool of processes: maps one by one, here."""

    def __init__(self, workers: int, **_: object) -> None:
        assert workers >= 1

    def __enter__(self) -> SameProcess:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def map(self, function: Callable[[Any], Any], jobs: Iterable[Any]) -> Iterator[Any]:
        return map(function, jobs)
