"""Workers of one process share its work; what kills workers is done alone."""

from __future__ import annotations

import threading
import time

import pytest

from medcam.service.jobs.retrying import RetryPolicy
from medcam.service.jobs.turns import FairTurns
from medcam.service.jobs.worker import Task, Worker
from medcam.store import FairClaims, JobQueue, JobState, open_store, sqlite_url


class Clock:
    def __init__(self):
        self.ahead = 0.0

    def __call__(self):
        return time.time() + self.ahead


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store(tmp_path):
    opened = open_store(sqlite_url(tmp_path / "medcam.db"))
    yield opened
    opened.close()


@pytest.fixture
def queue(store, clock):
    return JobQueue(store, clock)


def run(store, queue, clock, handler, *, until, count=3, losses=2):
    turns, stop = FairTurns(FairClaims(store, clock)), threading.Event()
    task = {"explain": Task(handler, RetryPolicy(losses=losses))}
    workers = [Worker(queue, task, f"w{place}", poll=0.01, turns=turns) for place in range(count)]
    threads = [threading.Thread(target=worker.run, args=(stop,)) for worker in workers]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 60
    while not until() and time.monotonic() < deadline:
        time.sleep(0.01)
    stop.set()
    for thread in threads:
        thread.join()
    assert until()


def test_a_job_that_killed_a_worker_is_done_with_nothing_beside_it(store, queue, clock):
    for name in ("bad", *"abcdef"):
        queue.enqueue("explain", name, {}, client=name)
    assert FairClaims(store, clock).claim(["explain"], "dead", 1.0).key == "bad"
    clock.ahead = 5.0
    lock, at_hand, beside, done = threading.Lock(), set(), {}, []

    def handler(job, _leave):
        with lock:
            at_hand.add(job.key)
            for key in at_hand:
                beside.setdefault(key, set()).update(at_hand)
        time.sleep(0.05)
        with lock:
            at_hand.discard(job.key)
            done.append(job.key)

    run(store, queue, clock, handler, until=lambda: len(done) == 7)

    assert sorted(done) == sorted(["bad", *"abcdef"])
    assert beside["bad"] == {"bad"}
    assert any(len(seen) > 1 for seen in beside.values())


def test_poison_is_given_up_after_bounded_tries_and_its_neighbours_are_done(store, queue, clock):
    """Each round is the life of a process that dies over the poison, with all that it had at hand."""
    for name in ("poison", "a", "b"):
        queue.enqueue("explain", name, {}, client=name)
    claims = FairClaims(store, clock)
    for _ in range(3):
        assert claims.claim(["explain"], "dead", 1.0) is not None
    clock.ahead += 5.0
    deaths = 0
    while deaths < 2:
        alone = claims.claim(["explain"], "alone", 1.0, lost=True)
        if alone.key == "poison":
            deaths += 1
            clock.ahead += 5.0
        else:
            assert queue.finish(alone)

    def finished():
        return {name: queue.find(name).state for name in ("poison", "a", "b")} == {
            "poison": JobState.FAILED,
            "a": JobState.DONE,
            "b": JobState.DONE,
        }

    run(store, queue, clock, lambda *_: None, until=finished)
    assert queue.find("poison").error_code == "job-abandoned"
