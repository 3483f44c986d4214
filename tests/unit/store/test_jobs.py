"""The promises of the queue: one unfinished job per key, leases, back-off, dead letters."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from medcam.core.errors import InvalidValueError
from medcam.store import JobQueue, JobState, open_store

ALL = ("annotate", "send")


def test_a_job_comes_back_as_it_was_asked_for(queue):
    assert queue.enqueue("send", "send:1", {"film": "a/b", "number": 3})

    job = queue.claim(ALL, "me", 60)

    assert (job.kind, job.key, job.payload) == ("send", "send:1", {"film": "a/b", "number": 3})
    assert (job.state, job.attempts, job.failures, job.losses) == (JobState.RUNNING, 1, 0, 0)


def test_asking_again_postpones_what_waits(queue, clock):
    assert queue.enqueue("annotate", "s", {"n": 1}, delay=10)
    clock.now += 9
    assert not queue.enqueue("annotate", "s", {"n": 2}, delay=10)

    clock.now += 9
    assert queue.claim(ALL, "me", 60) is None
    clock.now += 1
    assert queue.claim(ALL, "me", 60).payload == {"n": 2}
    assert queue.claim(ALL, "me", 60) is None


def test_asking_for_what_runs_has_it_done_once_more_and_never_twice_at_a_time(queue, clock):
    queue.enqueue("annotate", "s", {})
    first = queue.claim(ALL, "me", 60)
    queue.enqueue("annotate", "s", {}, delay=5)
    queue.enqueue("annotate", "s", {}, delay=7)
    clock.now += 8
    assert queue.claim(ALL, "you", 60) is None

    assert queue.finish(first)
    second = queue.claim(ALL, "me", 60)
    assert second.id == first.id
    assert queue.finish(second)
    assert queue.counts() == {("annotate", JobState.DONE): 1}


def test_a_quiet_period_that_runs_on_is_kept_when_the_running_job_ends(queue, clock):
    queue.enqueue("annotate", "s", {})
    running = queue.claim(ALL, "me", 60)
    queue.enqueue("annotate", "s", {}, delay=30)
    queue.finish(running)

    assert queue.claim(ALL, "me", 60) is None
    clock.now += 30
    assert queue.claim(ALL, "me", 60) is not None


@pytest.mark.parametrize("end", ["finish", "bury"])
def test_once_is_once_even_after_the_end(queue, end):
    assert queue.enqueue("send", "k", {}, once=True)
    assert not queue.enqueue("send", "k", {}, once=True)
    job = queue.claim(ALL, "me", 60)
    if end == "finish":
        queue.finish(job)
    else:
        queue.bury(job, "code", "why")

    assert not queue.enqueue("send", "k", {}, once=True)
    assert queue.claim(ALL, "me", 60) is None
    assert queue.enqueue("send", "k", {})


def test_the_one_that_is_due_longest_comes_first_and_kinds_are_kept_apart(queue, clock):
    queue.enqueue("send", "late", {}, delay=2)
    queue.enqueue("send", "early", {}, delay=1)
    queue.enqueue("annotate", "other", {})
    clock.now += 3

    claimed = [queue.claim(("send",), "me", 60) for _ in range(3)]
    assert [job and job.key for job in claimed] == ["early", "late", None]


def test_a_dead_worker_gives_its_job_back_when_the_lease_ends_and_cannot_end_it_any_more(queue, clock):
    queue.enqueue("send", "k", {})
    lost = queue.claim(ALL, "dead", 60)
    clock.now += 30
    assert queue.renew(lost, 60)
    clock.now += 59
    assert queue.claim(ALL, "me", 60) is None
    clock.now += 2

    mine = queue.claim(ALL, "me", 60)
    assert (mine.id, mine.attempts, mine.losses) == (lost.id, 2, 1)
    assert not queue.renew(lost, 60)
    assert not queue.finish(lost)
    assert not queue.retry(lost, "code", "why", 0)
    assert not queue.bury(lost, "code", "why")
    assert not queue.give_back(lost)
    assert queue.finish(mine)


def test_a_worker_that_starts_again_takes_back_what_it_held(queue):
    for number in range(3):
        queue.enqueue("send", f"k{number}", {})
    queue.claim(ALL, "me", 1e9)
    queue.claim(ALL, "me", 1e9)
    queue.claim(ALL, "you", 1e9)

    assert queue.release("me") == 2
    again = queue.claim(ALL, "me", 60)
    assert (again.key, again.losses, again.failures) == ("k0", 1, 0)


def test_the_last_jobs_of_many_keys_are_found_at_once(queue):
    for key in ("a", "b", "c"):
        queue.enqueue("send", key, {"key": key})
    queue.finish(queue.claim(ALL, "me", 60))
    queue.enqueue("send", "a", {"key": "a again"})

    found = queue.find_all(["a", "b", "never asked for"])

    assert {key: (job.payload["key"], job.state) for key, job in found.items()} == {
        "a": ("a again", JobState.WAITING), "b": ("b", JobState.WAITING)
    }  # fmt: skip
    assert found == {key: queue.find(key) for key in ("a", "b")}
    assert queue.find_all([]) == {}


def test_a_failure_is_told_and_waits(queue, clock):
    queue.enqueue("send", "k", {})
    assert queue.retry(queue.claim(ALL, "me", 60), "peer-unreachable", "nobody answers", 20)
    clock.now += 19
    assert queue.claim(ALL, "me", 60) is None
    clock.now += 1

    job = queue.claim(ALL, "me", 60)
    assert (job.failures, job.error_code, job.error_message) == (1, "peer-unreachable", "nobody answers")


def test_giving_back_leaves_no_mark(queue):
    queue.enqueue("send", "k", {})
    queue.give_back(queue.claim(ALL, "me", 60))

    job = queue.claim(ALL, "me", 60)
    assert (job.failures, job.losses) == (0, 0)


def test_dead_letters_are_listed_and_revived(queue):
    queue.enqueue("send", "k", {"film": 1})
    queue.bury(queue.claim(ALL, "me", 60), "refused", "not wanted")
    assert queue.claim(ALL, "me", 60) is None

    (dead,) = queue.failed("send")
    assert (dead.state, dead.error_code, dead.payload) == (JobState.FAILED, "refused", {"film": 1})
    assert queue.failed("annotate") == []
    assert queue.revive(dead)
    assert not queue.revive(dead)
    assert queue.claim(ALL, "me", 60).failures == 0


def test_what_is_asked_for_while_it_is_being_buried_is_tried_again(queue):
    queue.enqueue("send", "k", {})
    job = queue.claim(ALL, "me", 60)
    queue.enqueue("send", "k", {})
    queue.bury(job, "refused", "not wanted")

    assert queue.claim(ALL, "me", 60).failures == 0


def test_a_dead_letter_whose_key_is_under_way_again_is_let_go(queue):
    queue.enqueue("send", "k", {})
    queue.bury(queue.claim(ALL, "me", 60), "refused", "not wanted")
    (dead,) = queue.failed("send")
    queue.enqueue("send", "k", {})

    assert not queue.revive(dead)
    assert queue.failed("send") == []
    assert queue.counts() == {("send", JobState.WAITING): 1}


def test_purge_forgets_what_was_done_long_ago_and_nothing_else(queue, clock):
    for key in ("done", "waits", "dead"):
        queue.enqueue("send", key, {})
    queue.finish(queue.claim(ALL, "me", 60))
    queue.give_back(queue.claim(ALL, "me", 60))
    queue.enqueue("send", "waits", {}, delay=1e6)
    queue.bury(queue.claim(ALL, "me", 60), "refused", "not wanted")
    clock.now += 100

    assert queue.purge("send", clock.now - 100) == 0
    assert queue.purge("annotate", clock.now) == 0
    assert queue.purge("send", clock.now) == 1
    assert queue.counts() == {("send", JobState.WAITING): 1, ("send", JobState.FAILED): 1}
    assert queue.open_keys("") == {"waits", "dead"}
    assert queue.open_keys("wa") == {"waits"}


@pytest.mark.parametrize("key", ["", "k" * 201])
def test_a_key_has_a_length(queue, key):
    with pytest.raises(InvalidValueError, match="1 to 200"):
        queue.enqueue("send", key, {})


def test_many_threads_and_connections_do_each_job_once(url):
    stores = [open_store(url) for _ in range(4)]
    JobQueue(stores[0]).enqueue("send", "first", {})
    done: list[str] = []
    together = threading.Barrier(4)

    def work(number: int) -> None:
        queue = JobQueue(stores[number])
        together.wait()
        for index in range(10):
            queue.enqueue("send", f"k{index}", {}, once=True)
        while (job := queue.claim(ALL, str(number), 60)) is not None:
            done.append(job.key)
            assert queue.finish(job)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    for store in stores:
        store.close()
    assert sorted(done) == sorted(["first", *(f"k{index}" for index in range(10))])
