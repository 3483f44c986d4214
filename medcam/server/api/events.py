"""How a submission goes on, told as it happens: server-sent events (WHATWG HTML, section 9.2)."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Annotated, Self

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send

from medcam.core.errors import MedcamError
from medcam.server.api.bodies import EVENTS_EXAMPLE, PROBLEMS
from medcam.server.api.context import ApiContext, context_of
from medcam.server.api.submitting import Reader, SubmissionPath
from medcam.service.submissions.status import SubmissionStatus
from medcam.service.submissions.submission import Submission
from medcam.store import JobState

router = APIRouter(tags=["submissions"], responses=PROBLEMS)
_LOOK_SECONDS, _SLOWEST_LOOK_SECONDS, _ALIVE_LOOKS = 0.25, 1.0, 15
_AGAIN_MILLISECONDS = 2000
_ID = re.compile(r"([a-z]{1,16})-([0-9]{1,9})-([0-9]{1,9})")
_GONE = 'event: gone\nid: gone\ndata: {"code": "no-such-submission"}\n\n'
_OVER = frozenset((str(JobState.DONE), str(JobState.FAILED), "gone"))


@dataclass(frozen=True, slots=True)
class _Told:
    """A state as an event tells it, and as `Last-Event-ID` names it."""

    state: str = ""
    done: int = 0
    total: int = 0
    code: str = ""

    @classmethod
    def of(cls, event_id: str) -> Self:
        """What a client has heard; nothing, where that is no id of ours."""
        match = _ID.fullmatch(event_id)
        return cls(match[1], int(match[2]), int(match[3])) if match else cls(event_id if event_id in _OVER else "")

    @classmethod
    def by(cls, status: SubmissionStatus) -> Self:
        """What a status says."""
        return cls(str(status.state), status.done, status.total, status.error_code)

    @property
    def over(self) -> bool:
        """Whether nothing comes after it."""
        return self.state in _OVER

    @property
    def id(self) -> str:
        """Of its event."""
        return f"{self.state}-{self.done}-{self.total}"

    def news(self, last: _Told) -> bool:
        """Whether it is worth telling after another. Work that is taken up again begins to count anew: that is none."""
        same = self.state == last.state
        return self.over or (self.id != last.id and not (same and (self.done, self.total) < (last.done, last.total)))

    def event(self) -> str:
        """The lines of its event."""
        text = json.dumps({"state": self.state, "done": self.done, "total": self.total, "code": self.code})
        return f"event: {'end' if self.over else 'progress'}\nid: {self.id}\ndata: {text}\n\n"


class _EventStream(StreamingResponse):
    """A stream that lets go of what it holds however it ends, also when its client left before the first event."""

    def __init__(self, events: AsyncIterator[str], held: ExitStack) -> None:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(events, media_type="text/event-stream", headers=headers)
        self._held = held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends it."""
        with self._held:
            await super().__call__(scope, receive, send)


@router.get(
    "/v1/submissions/{submission_id}/events",
    response_class=Response,
    responses={
        200: {"content": {"text/event-stream": {"example": EVENTS_EXAMPLE}}, "description": "Events, until the last"},
        204: {"description": "The client has heard the last event already: a browser asks no more"},
    },
)
async def events(
    request: Request,
    client: Reader,
    submission_id: SubmissionPath,
    last_event_id: Annotated[
        str, Header(max_length=100, description="Of the last event that was heard; it is not told again.")
    ] = "",
) -> Response:
    """Server-sent events: `progress` whenever something changes, then `end` with the last state (or `gone`).

    A stream that ends without either is to be asked for again, as browsers do; it goes on after `Last-Event-ID`.
    """
    context = context_of(request)
    heard = _Told.of(last_event_id)
    if heard.over:
        return Response(status_code=204)
    found = await run_in_threadpool(context.box.find, submission_id, client.label)
    held = ExitStack()
    held.enter_context(context.streams.one(client.label))
    held.enter_context(context.looks.watching(found))
    return _EventStream(_events(context, found, heard), held)


async def _events(context: ApiContext, found: Submission, last: _Told) -> AsyncIterator[str]:
    silent, pause, until = 0, _LOOK_SECONDS, time.monotonic() + context.settings.stream_seconds
    yield f"retry: {_AGAIN_MILLISECONDS}\n\n"
    while time.monotonic() < until:
        try:
            seen = context.looks.seen(found, _LOOK_SECONDS)
            if seen is None:
                seen = await run_in_threadpool(context.looks.look, found)
            if seen.status is None:
                yield _GONE
                return
            now = _Told.by(seen.status)
        except MedcamError:
            now = last  # the database is away for now
        silent += 1
        if now.news(last):
            yield now.event()
            if now.over:
                return
            last, silent, pause = now, 0, _LOOK_SECONDS
        elif silent % _ALIVE_LOOKS == 0:
            yield ": alive\n\n"
        await asyncio.sleep(min(pause, max(0.0, until - time.monotonic())))
        pause = min(1.5 * pause, _SLOWEST_LOOK_SECONDS)
