"""Claims by turns, and jobs over which a worker died."""

from __future__ import annotations

import pytest

from medcam.store import FairClaims, JobQueue, Store


@pytest.fixture
def queue(store: Store, clock) -> JobQueue:
    return JobQueue(store, clock)


@pytest.fixture
def claims(store: Store, clock) -> FairClaims:
    return FairClaims(store, clock)


def ask(queue: JobQueue, client: str, *keys: str) -> None:
    for key in keys:
        queue.enqueue("explain", key, {}, client=client)


def taken(queue: JobQueue, claims: FairClaims) -> str:
    job = claims.claim(["explain"], "w", 10.0)
    assert job is not None
    assert queue.finish(job)
    return job.key


def test_who_has_much_waits_for_who_has_little(queue, claims, clock):
    ask(queue, "much", *[f"m{number}" for number in range(5)])
    clock.now += 1
    ask(queue, "little", "l0", "l1")
    ask(queue, "third", "t0")

    assert [taken(queue, claims) for _ in range(8)] == ["m0", "l0", "t0", "m1", "l1", "m2", "m3", "m4"]


def test_one_who_comes_again_and_again_does_not_wait_behind_a_long_queue(queue, claims, clock):
    ask(queue, "much", *[f"m{number}" for number in range(6)])
    order = []
    for number in range(3):
        clock.now += 1
        ask(queue, "again", f"a{number}")
        order += [taken(queue, claims), taken(queue, claims)]

    assert [key[0] for key in order] == ["m", "a", "m", "a", "m", "a"]


def test_what_a_worker_died_over_is_taken_only_by_who_asks_for_it(queue, claims, clock):
    ask(queue, "a", "killer", "innocent")
    assert claims.claim(["explain"], "dies", 10.0).key == "killer"
    assert not claims.any_lost(["explain"])
    clock.now += 11

    assert claims.any_lost(["explain"])
    assert claims.claim(["explain"], "w", 10.0).key == "innocent"
    assert claims.claim(["explain"], "w", 10.0) is None
    lost = claims.claim(["explain"], "w", 10.0, lost=True)
    assert (lost.key, lost.losses) == ("killer", 1)
    assert claims.claim(["explain"], "w", 10.0, lost=True) is None


def test_other_kinds_are_left_alone(queue, claims):
    queue.enqueue("send", "k", {}, client="a")

    assert claims.claim(["explain"], "w", 10.0) is None
