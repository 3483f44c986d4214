"""Streams that wait share one look at the queue."""

from __future__ import annotations

import threading

import pytest

from medcam.server.api.looks import Looks
from medcam.service.submissions.status import SubmissionStatus
from medcam.service.submissions.submission import Submission, new_id
from medcam.store import JobState, StoreError


def submission() -> Submission:
    return Submission(new_id(), "somebody", 0.0, "phantom")


class Queue:
    """Tells all that they wait, and how often it was asked."""

    def __init__(self) -> None:
        self.asked: list[set[str]] = []
        self.now = 100.0
        self.away = False

    def look(self, submissions):
        self.asked.append({one.id for one in submissions})
        if self.away:
            raise StoreError("away")
        return {one.id: SubmissionStatus(JobState.WAITING, len(self.asked), 9) for one in submissions}

    def clock(self) -> float:
        return self.now


@pytest.fixture
def queue() -> Queue:
    return Queue()


@pytest.fixture
def looks(queue: Queue) -> Looks:
    return Looks(queue.look, queue.clock)


def test_one_looks_for_all(queue, looks):
    first, second, third = submission(), submission(), submission()
    with looks.watching(first), looks.watching(second):
        with looks.watching(third):
            pass
        assert looks.seen(first, 1.0) is None
        looks.look(first)
        assert queue.asked == [{first.id, second.id}]
        assert looks.seen(second, 1.0).status.done == 1
        queue.now += 0.9
        assert looks.seen(second, 1.0) is not None
        queue.now += 0.2
        assert looks.seen(second, 1.0) is None


def test_nobody_waits_for_who_looks(queue, looks):
    one, other = submission(), submission()
    asked, go = threading.Event(), threading.Event()
    answer = queue.look

    def slow(submissions):
        asked.set()
        assert go.wait(60)
        return answer(submissions)

    with looks.watching(one), looks.watching(other):
        looks.look(one)
        queue.now += 10.0
        looks._look = slow
        thread = threading.Thread(target=looks.look, args=(one,))
        thread.start()
        assert asked.wait(60)
        assert looks.seen(other, 1.0).status.done == 1  # old, but somebody is about it
        go.set()
        thread.join(60)
        assert looks.seen(other, 1.0).status.done == 2


def test_a_database_that_is_away_is_told_to_who_looked_and_looked_for_again(queue, looks):
    one = submission()
    with looks.watching(one):
        queue.away = True
        with pytest.raises(StoreError):
            looks.look(one)
        assert looks.seen(one, 1.0) is None
        queue.away = False
        assert looks.look(one).status.state is JobState.WAITING


def test_it_is_watched_until_the_last_one_leaves(queue, looks):
    one = submission()
    with looks.watching(one):
        with looks.watching(one):
            looks.look(one)
        assert looks.seen(one, 1.0) is not None
    assert looks.seen(one, 1.0) is None
    assert (looks._watched, looks._seen) == ({}, {})
