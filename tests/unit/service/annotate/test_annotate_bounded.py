"""Threads with back-pressure."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from medcam.service.annotate.bounded import batches, bounded_map, threads


def test_results_come_in_order_and_nothing_runs_far_ahead() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for item in range(50):
            taken.append(item)
            yield item

    with threads(4, "test") as pool:
        for place, result in enumerate(bounded_map(pool, lambda item: item * item, items(), ahead=6)):
            assert result == place * place
            assert len(taken) <= place + 6


def test_an_error_comes_out_in_its_place_and_what_waits_is_dropped() -> None:
    gate = threading.Event()
    ran: list[int] = []

    def work(item: int) -> int:
        if item == 0:
            raise RuntimeError
        gate.wait(10)
        ran.append(item)
        return item

    def run() -> None:
        with threads(1, "test") as pool:
            try:
                list(bounded_map(pool, work, range(10), ahead=5))
            finally:
                gate.set()

    with pytest.raises(RuntimeError):
        run()
    assert len(ran) <= 1 + 4


def test_batches_are_full_but_for_the_last() -> None:
    assert list(batches(range(7), 3)) == [[0, 1, 2], [3, 4, 5], [6]]
    assert list(batches(range(6), 3)) == [[0, 1, 2], [3, 4, 5]]
    assert list(batches([], 3)) == []
