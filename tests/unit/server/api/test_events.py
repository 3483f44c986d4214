"""How a submission is followed: events in order, taken up after the last one, by many, and by some who hang up."""

from __future__ import annotations

import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from medcam.service.submissions.status import SubmissionStatus
from medcam.service.submissions.submission import SubmissionFolder
from medcam.store import JobState, StoreError


def told(text: str) -> list[dict]:
    """Events of a stream, with their names and ids."""
    found = []
    for block in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if "event" in lines:
            found.append({"event": lines["event"], "id": lines["id"], **json.loads(lines["data"])})
    return found


def hand_in(client, film) -> str:
    taken = client.post("/v1/submissions", content=film, headers={"Content-Type": "application/dicom"})
    return taken.headers["location"]


@pytest.fixture
def states(monkeypatch):
    """Lets a submission go through states, one each time that somebody looks; the last one stays."""

    def go(*steps):
        left = list(steps)

        def progress(_box, submissions):
            step = left.pop(0) if len(left) > 1 else left[0]
            if isinstance(step, Exception):
                raise step
            return {one.id: SubmissionStatus(*step) for one in submissions}

        monkeypatch.setattr("medcam.service.submissions.box.SubmissionBox.progress", progress)
        monkeypatch.setattr("medcam.server.api.events._LOOK_SECONDS", 0.001)
        monkeypatch.setattr("medcam.server.api.events._SLOWEST_LOOK_SECONDS", 0.001)

    return go


WAITING, RUNNING, DONE = JobState.WAITING, JobState.RUNNING, JobState.DONE


def test_events_of_one_that_is_explained_tell_its_end(api, film, work):
    client = api()
    place = hand_in(client, film)
    assert work()

    answer = client.get(f"{place}/events")

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert told(answer.text) == [{"event": "end", "id": "done-1-1", "state": "done", "done": 1, "total": 1, "code": ""}]


def test_progress_is_told_in_order_and_once_also_where_work_was_taken_up_again(api, film, states):
    client = api()
    place = hand_in(client, film)
    states(
        (WAITING, 0, 0), (RUNNING, 1, 3), (RUNNING, 1, 3), (RUNNING, 2, 3), StoreError("away"), (RUNNING, 1, 3),
        (RUNNING, 2, 3), (RUNNING, 3, 3), (DONE, 3, 3),
    )  # fmt: skip

    events = told(client.get(f"{place}/events").text)

    assert [one["id"] for one in events] == [
        "waiting-0-0", "running-1-3", "running-2-3", "running-3-3", "done-3-3"
    ]  # fmt: skip
    assert [one["event"] for one in events] == ["progress"] * 4 + ["end"]


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        ("running-2-3", ["running-3-3", "done-3-3"]),
        ("waiting-0-0", ["running-2-3", "running-3-3", "done-3-3"]),
        ("rubbish", ["running-2-3", "running-3-3", "done-3-3"]),
        ("running-\u0663-3", ["running-2-3", "running-3-3", "done-3-3"]),
    ],
)
def test_a_stream_goes_on_after_the_last_event(api, film, states, last, expected):
    client = api()
    place = hand_in(client, film)
    states((RUNNING, 2, 3), (RUNNING, 3, 3), (DONE, 3, 3))

    text = client.get(f"{place}/events", headers={"Last-Event-ID": last.encode()}).text

    assert [one["id"] for one in told(text)] == expected


@pytest.mark.parametrize("last", ["done-3-3", "failed-1-3", "gone"])
def test_a_browser_that_heard_the_end_is_told_to_ask_no_more(api, film, last):
    client = api()
    place = hand_in(client, film)

    answer = client.get(f"{place}/events", headers={"Last-Event-ID": last})

    assert (answer.status_code, answer.content) == (204, b"")


def test_a_stream_ends_after_a_while_and_is_taken_up(api, film):
    client = api(stream_seconds=0.2)
    place = hand_in(client, film)

    first = client.get(f"{place}/events").text
    again = client.get(f"{place}/events", headers={"Last-Event-ID": told(first)[-1]["id"]}).text

    assert [one["id"] for one in told(first)] == ["waiting-0-0"]
    assert first.startswith("retry: ")
    assert told(again) == []


def test_what_is_let_go_of_meanwhile_is_told(api, film, opened):
    client = api()
    place = hand_in(client, film)

    def gone(text):
        return text.endswith('event: gone\nid: gone\ndata: {"code": "no-such-submission"}\n\n')

    with ThreadPoolExecutor(1) as pool:
        heard = pool.submit(lambda: client.get(f"{place}/events").text)
        assert client.delete(place).status_code == 204
        text = heard.result(60)
    assert gone(text) or json.loads(text)["code"] == "no-such-submission"


def test_many_listen_to_one(api, film, opened):
    client = api(streams=8)
    place = hand_in(client, film)
    folder = SubmissionFolder(opened.address.films / "submissions" / place.rpartition("/")[2])
    listening = threading.Barrier(9)

    def listen(_number):
        listening.wait()
        return told(client.get(f"{place}/events").text)

    with ThreadPoolExecutor(8) as pool:
        heard = [pool.submit(listen, number) for number in range(8)]
        listening.wait()
        folder.write_progress(1, 2)
        job = opened.jobs.claim(["explain"], "test", 60)
        folder.write_progress(2, 2)
        opened.jobs.finish(job)
        streams = [one.result(60) for one in heard]
    for events in streams:
        assert (events[-1]["event"], events[-1]["id"]) == ("end", "done-2-2")
        done = [one["done"] for one in events]
        assert done == sorted(done)


class Caller:
    """Asks for events without a server between, and hangs up."""

    def __init__(self, client, path, *, after: int) -> None:
        self._app, self._path, self._after = client.app, path, after
        self.sent: list[dict] = []

    async def listens(self) -> None:
        enough = asyncio.Event()
        if self._after == 0:
            enough.set()

        async def receive():
            await enough.wait()
            return {"type": "http.disconnect"}

        async def send(message):
            self.sent.append(message)
            if len(self.sent) >= self._after:
                enough.set()

        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
            "path": self._path, "raw_path": self._path.encode(), "query_string": b"", "root_path": "",
            "headers": [(b"host", b"127.0.0.1:8600")], "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8600),
        }  # fmt: skip
        await self._app(scope, receive, send)


@pytest.mark.parametrize("after", [0, 1, 3])
def test_who_hangs_up_holds_no_stream(api, film, after):
    client = api(streams=1)
    place = hand_in(client, film)

    for _ in range(3):
        caller = Caller(client, f"{place}/events", after=after)
        asyncio.run(asyncio.wait_for(caller.listens(), 60))
        assert [one.get("status", 200) for one in caller.sent] == [200] * len(caller.sent)
    context = client.app.state.context
    assert (context.streams._open, context.looks._watched, context.looks._seen) == ({}, {}, {})


def test_streams_of_a_client_have_a_bound(api, film):
    client = api(streams=1, stream_seconds=60)
    place = hand_in(client, film)

    with client.app.state.context.streams.one("local@loopback"):
        answer = client.get(f"{place}/events")

    assert (answer.status_code, answer.json()["code"]) == (429, "too-many-requests")
    assert int(answer.headers["retry-after"]) > 0
