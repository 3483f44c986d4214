"""Linear algebra has one thread while anybody works film by film, and its own number again afterwards."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from medcam.service import workers
from medcam.service.workers import films_side_by_side


def blas_threads() -> set[int]:
    return {one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"}


@pytest.fixture(autouse=True)
def two() -> Iterator[None]:
    with threadpool_limits(2, user_api="blas"):
        yield


def test_blocks_may_overlap_in_any_order() -> None:
    first, second = ExitStack(), ExitStack()
    assert blas_threads() == {2}
    first.enter_context(films_side_by_side())
    second.enter_context(films_side_by_side())
    assert blas_threads() == {1}
    first.close()
    assert blas_threads() == {1}
    second.close()
    assert blas_threads() == {2}


def test_a_block_that_fails_is_left_like_any_other() -> None:
    with pytest.raises(ValueError, match="film"), films_side_by_side():
        raise ValueError("film")
    assert blas_threads() == {2}


def test_the_libraries_are_looked_for_once_for_all_within(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []
    limits = workers.threadpool_limits

    def counted(number: int, user_api: str) -> object:
        looked.append(number)
        return limits(number, user_api=user_api)

    monkeypatch.setattr(workers, "threadpool_limits", counted)

    def run() -> None:
        with films_side_by_side():
            pass

    with films_side_by_side():
        threads = [threading.Thread(target=run) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert blas_threads() == {1}
    assert looked == [1]
