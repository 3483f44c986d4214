"""The worker: what is done, tried again, given up and left for later."""

from __future__ import annotations

import threading
import time

import pytest

from medcam.core.errors import InvalidValueError, MedcamError, UsageError
from medcam.service.jobs.retrying import PermanentError, RetryPolicy
from medcam.service.jobs.worker import Interrupted, Task, Worker
from medcam.store import JobQueue, JobState, open_store, sqlite_url

AT_ONCE = RetryPolicy(attempts=3, first=0.0, losses=2)


@pytest.fixture
def queue(tmp_path):
    store = open_store(sqlite_url(tmp_path / "medcam.db"))
    yield JobQueue(store)
    store.close()


@pytest.fixture
def stop():
    return threading.Event()


def worker(queue, handler, **options):
    task = Task(handler, options.pop("policy", AT_ONCE), **{k: options.pop(k) for k in ("bury",) if k in options})
    return Worker(queue, {"send": task}, "me", poll=0.01, **options)


def test_a_job_is_done_once(queue, stop):
    seen, ended = [], []
    queue.enqueue("send", "k", {"film": 1})
    works = worker(queue, lambda job, _: seen.append(job.payload), ended=lambda job, how: ended.append(how))

    assert works.step(stop)
    assert not works.step(stop)
    assert (seen, ended) == ([{"film": 1}], ["done"])


def test_kinds_that_a_worker_does_not_know_are_left_alone(queue, stop):
    queue.enqueue("annotate", "k", {})

    assert not worker(queue, lambda *_: None).step(stop)
    assert queue.counts() == {("annotate", JobState.WAITING): 1}


@pytest.mark.parametrize(
    ("error", "code"),
    [(MedcamError("down", code="peer-down"), "peer-down"), (RuntimeError("JOHN DOE"), "internal-error")],
)
def test_what_fails_is_tried_again_and_given_up_in_the_end(queue, stop, error, code):
    letters, ended = [], []

    def fails(_job, _leave):
        raise error

    queue.enqueue("send", "k", {})
    works = worker(
        queue,
        fails,
        bury=lambda job, told: letters.append((job.key, told.code)),
        ended=lambda _, how: ended.append(how),
    )
    while works.step(stop):
        pass
    assert ended == ["retried", "retried", "failed"]
    assert letters == [("k", code)]
    (dead,) = queue.failed("send")
    assert (dead.error_code, dead.failures) == (code, 3)
    assert "DOE" not in dead.error_message


@pytest.mark.parametrize("error", [UsageError("wrong"), PermanentError(MedcamError("refused", code="refused"))])
def test_what_cannot_get_better_is_given_up_at_once(queue, stop, error):
    def fails(_job, _leave):
        raise error

    queue.enqueue("send", "k", {})
    works = worker(queue, fails)
    assert works.step(stop)
    assert not works.step(stop)
    assert [job.error_code for job in queue.failed("send")] == [error.code]


def test_nothing_is_given_up_before_its_dead_letter_is_kept(queue, stop):
    def fails(_job, _leave):
        raise UsageError("wrong")

    def full(_job, _error):
        raise OSError("disk full")

    queue.enqueue("send", "k", {})
    worker(queue, fails, bury=full).step(stop)
    assert queue.counts() == {("send", JobState.WAITING): 1}


def test_what_kills_its_workers_is_given_up(queue, stop):
    queue.enqueue("send", "k", {})
    for _ in range(AT_ONCE.losses + 1):
        queue.claim(["send"], "me", 60)
        queue.release("me")
    ran = []
    worker(queue, lambda *_: ran.append(1)).step(stop)
    assert ran == []
    assert [job.error_code for job in queue.failed("send")] == ["job-abandoned"]


def test_a_job_that_is_interrupted_is_left_as_it_was(queue, stop):
    def waits(_job, leave):
        stop.set()
        if leave():
            raise Interrupted

    queue.enqueue("send", "k", {})
    worker(queue, waits).run(stop)
    job = queue.claim(["send"], "me", 60)
    assert (job.failures, job.losses) == (0, 0)


def test_a_worker_that_starts_takes_back_what_it_held_and_ends_when_told(queue, stop):
    queue.enqueue("send", "k", {})
    queue.claim(["send"], "me", 1e6)
    done = threading.Event()
    thread = threading.Thread(target=worker(queue, lambda *_: done.set()).run, args=(stop,))
    thread.start()
    assert done.wait(20)
    stop.set()
    thread.join(20)
    assert not thread.is_alive()
    assert queue.counts() == {("send", JobState.DONE): 1}


def test_a_lease_is_held_as_long_as_the_work_takes(queue, stop):
    lease = 0.6
    other = []

    def slow(_job, _leave):
        deadline = time.monotonic() + 3 * lease
        while time.monotonic() < deadline:
            other.append(queue.claim(["send"], "other", 60))
            time.sleep(0.05)

    queue.enqueue("send", "k", {})
    worker(queue, slow, lease=lease).step(stop)
    assert set(other) == {None}
    assert queue.counts() == {("send", JobState.DONE): 1}


def test_work_is_left_when_the_lease_is_lost(queue, stop):
    def robbed(_job, leave):
        queue.release("me")
        thief = queue.claim(["send"], "thief", 60)
        assert thief is not None
        deadline = time.monotonic() + 20
        while not leave() and time.monotonic() < deadline:
            time.sleep(0.01)
        if leave():
            raise Interrupted

    queue.enqueue("send", "k", {})
    worker(queue, robbed, lease=0.1).step(stop)
    assert queue.counts() == {("send", JobState.RUNNING): 1}


def test_waits_grow_up_to_a_limit_and_are_spread():
    policy = RetryPolicy(first=2.0, factor=4.0, longest=100.0, jitter=0.25)

    assert all(1.5 <= policy.delay(1) <= 2.0 for _ in range(50))
    assert all(24 <= policy.delay(3) <= 32 for _ in range(50))
    assert all(75 <= policy.delay(10_000) <= 100 for _ in range(50))
    assert len({policy.delay(3) for _ in range(50)}) > 25


@pytest.mark.parametrize("wrong", [{"attempts": 0}, {"factor": 0.5}, {"jitter": 2.0}, {"first": -1.0}, {"losses": 0}])
def test_a_policy_makes_sense(wrong):
    with pytest.raises(InvalidValueError):
        RetryPolicy(**wrong)
