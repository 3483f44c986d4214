"""Websockets: a page's line to the server is open while its session lasts, and not a moment longer."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from .identity import Refusal
from .keeper import Doorkeeper, Visit
from .reader import CONNECTION_HEADER, OPEN, OpenPage

POLICY_VIOLATION = 1008
_PROTOCOLS = b"sec-websocket-protocol"


class Line:
    """One websocket that was let in.

    Args:
        keeper: Asked whether the session lasts.
        visit: Whose websocket it is.
        receive: ASGI's.
        send: ASGI's.
    """

    def __init__(self, keeper: Doorkeeper, visit: Visit, receive: Receive, send: Send) -> None:
        self._keeper = keeper
        self._session = visit.session
        self._receive, self._send = receive, send
        self._ended = asyncio.Event()
        self._next: asyncio.Future[Message] | None = None
        self._begun = self._closed = self._named = False

    async def run(self, app: ASGIApp, scope: Scope) -> None:
        """Runs the page over this line.

        Args:
            app: Streamlit.
            scope: Of the websocket, ready for pages to see.
        """
        key = secrets.token_urlsafe(32)
        OPEN[key] = OpenPage(self._keeper, self._session)
        self._session.on_end.add(self._ended.set)
        ended = asyncio.ensure_future(self._ended.wait())
        headers = [*scope["headers"], (CONNECTION_HEADER.encode(), key.encode())]
        try:
            await app({**scope, "headers": headers}, lambda: self.receive(ended), self.send)
        finally:
            del OPEN[key]
            self._session.on_end.discard(self._ended.set)
            for waiting in (ended, self._next):
                if waiting is not None:
                    waiting.cancel()

    async def receive(self, ended: asyncio.Future[Any]) -> Message:
        """The next message of the client; a disconnection when the session ends before there is one."""
        table, session = self._keeper.table, self._session
        while True:
            if self._next is None:
                self._next = asyncio.ensure_future(self._receive())
            # A little more, so that the clock has passed the end when the wait is over.
            patience = table.seconds_left(session) + 0.05
            await asyncio.wait({self._next, ended}, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
            why = table.why_over(session)
            if why and not self._gone():
                await self._keeper.finish(session, why)
                return await self._hang_up(why)
            if self._next.done():
                message, self._next = self._next.result(), None
                try:
                    await self._take_note(message)
                except Refusal as refusal:
                    await self._keeper.tell_refused(refusal, "/_stcore/stream")
                    return await self._hang_up(refusal.why)
                return message

    def _gone(self) -> bool:
        """Whether the client hung up before we do."""
        return self._next is not None and self._next.done() and self._next.result()["type"] == "websocket.disconnect"

    async def send(self, message: Message) -> None:
        """Sends a message of Streamlit; what comes after the end is dropped."""
        if self._closed:
            return
        if not self._named and message["type"] == "websocket.send" and message.get("bytes"):
            said = ForwardMsg.FromString(message["bytes"])
            if said.WhichOneof("type") == "new_session":
                self._session.pages.add(said.new_session.initialize.session_id)
                self._named = True
        await self._send(message)

    async def _take_note(self, message: Message) -> None:
        """Counts what the reader does. The first run of a page is Streamlit's own doing, as are timed ones."""
        act = _act_in(message)
        if act and not self._begun and act == "rerun_script":
            self._begun = True
        elif act:
            await self._keeper.admit(self._session)
            self._keeper.table.act(self._session)

    async def _hang_up(self, why: str) -> Message:
        self._closed = True
        await self._send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": why})
        return {"type": "websocket.disconnect", "code": POLICY_VIOLATION, "reason": why}


def own_pages_only(scope: Scope, visit: Visit) -> tuple[Scope, bool]:
    """Takes the key of a Streamlit session that is not the visitor's out of a websocket's protocols.

    Streamlit's browser side names there the session to go on with after the line was lost. Whoever knew another's key
    would get that person's page.

    Returns:
        The scope, and whether a key was taken out.
    """
    offered = [value for name, value in scope["headers"] if name.lower() == _PROTOCOLS]
    entries = [entry.strip() for entry in b",".join(offered).split(b",")] if offered else []
    foreign = any(entry.decode("latin-1") not in visit.session.pages for entry in entries[2:] if entry)
    kept = entries[:2] if foreign else entries[:3]
    headers = [(name, value) for name, value in scope["headers"] if name.lower() != _PROTOCOLS]
    if kept:
        headers.append((_PROTOCOLS, b", ".join(kept)))
    protocols = [entry.decode("latin-1") for entry in kept if entry]
    return {**scope, "headers": headers, "subprotocols": protocols}, foreign


def _act_in(message: Message) -> str | None:
    """What a reader did, by Streamlit's name for it; None for a message that no act is behind."""
    data = message.get("bytes")
    if message["type"] != "websocket.receive" or not data:
        return None
    try:
        said = BackMsg.FromString(data)
    except Exception:  # noqa: BLE001 - protobuf's own, which has no types; Streamlit closes the line for such a frame
        return None
    kind: str | None = said.WhichOneof("type")
    if kind == "rerun_script" and not said.rerun_script.is_auto_rerun:
        return kind
    return kind if kind == "file_urls_request" else None
