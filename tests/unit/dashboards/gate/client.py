"""A browser without a screen: a client that speaks ASGI to the gate, and its end of a websocket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import unquote

from streamlit.proto.BackMsg_pb2 import BackMsg

HOST = "127.0.0.1:8501"
NAVIGATION = {"Accept": "text/html", "Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate"}


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        (value,) = [value for key, value in self.headers if key == name] or [None]
        return value

    @property
    def code(self) -> str:
        return json.loads(self.body)["code"]

    def cookies(self) -> dict[str, str]:
        return {name: value for key, value in self.headers if key == "set-cookie" for name, value in _morsels(value)}


def _morsels(header: str) -> Iterator[tuple[str, str]]:
    for name, morsel in SimpleCookie(header).items():
        yield name, morsel.value


@dataclass
class Client:
    """A browser without a screen: one address, one jar of cookies, headers that it always sends."""

    app: Any
    peer: str | None = "127.0.0.1"
    headers: dict[str, str] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)

    def scope(self, kind: str, target: str, headers: Mapping[str, str]) -> dict[str, Any]:
        raw, _, query = target.partition("?")
        sent = {"Host": HOST, **self.headers, **headers}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return {
            "type": kind,
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "scheme": "http" if kind == "http" else "ws",
            "path": unquote(raw),
            "raw_path": raw.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(name.lower().encode(), value.encode()) for name, value in sent.items()],
            "client": self.peer and (self.peer, 50000),
            "server": ("127.0.0.1", 8501),
            "state": {},
        }

    def ask(self, target: str = "/", method: str = "GET", extra: list[tuple[str, str]] | None = None, **headers: str):
        """Sends a request; underscores in the names of headers stand for hyphens."""
        scope = self.scope("http", target, {name.replace("_", "-"): value for name, value in headers.items()})
        scope["method"] = method
        scope["headers"] += [(name.lower().encode(), value.encode()) for name, value in extra or []]
        answer = asyncio.run(_exchange(self.app, scope))
        self.cookies.update(answer.cookies())
        return answer

    def load(self, target: str = "/", **headers: str) -> Answer:
        """Loads a document, as a person does by entering an address."""
        return self.ask(target, **{**NAVIGATION, **headers})

    def talk(self, script: Callable[[Wire], Awaitable[None]], target: str = "/_stcore/stream", **headers: str) -> Wire:
        """Opens a websocket and runs a script over it."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        wire = Wire(self.app, self.scope("websocket", target, named))
        asyncio.run(wire.run(script))
        return wire


async def _exchange(app: Any, scope: dict[str, Any]) -> Answer:
    sent: list[dict[str, Any]] = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    await app(scope, receive, send)
    start, *rest = sent
    headers = [(name.decode(), value.decode("latin-1")) for name, value in start["headers"]]
    return Answer(start["status"], headers, b"".join(message.get("body", b"") for message in rest))


class Wire:
    """The client's end of a websocket."""

    def __init__(self, app: Any, scope: dict[str, Any]):
        self._app, self._scope = app, scope
        self.accepted = False
        self.closed: tuple[int, str] | None = None

    async def run(self, script):
        self._to, self._from = asyncio.Queue(), asyncio.Queue()
        self._to.put_nowait({"type": "websocket.connect"})
        serving = asyncio.ensure_future(self._app(self._scope, self._to.get, self._from.put))
        first = await asyncio.wait_for(self._from.get(), 10)
        self.accepted = first["type"] == "websocket.accept"
        if self.accepted:
            await script(self)
            self._to.put_nowait({"type": "websocket.disconnect", "code": 1001})
        else:
            self.closed = first["code"], first["reason"]
        await asyncio.wait_for(serving, 10)

    async def tell(self, message: BackMsg | bytes) -> None:
        data = message if isinstance(message, bytes) else message.SerializeToString()
        self._to.put_nowait({"type": "websocket.receive", "bytes": data})

    async def hear(self) -> bytes | None:
        """The next message of the server; None when it hung up."""
        message = await asyncio.wait_for(self._from.get(), 10)
        if message["type"] == "websocket.close":
            self.closed = message["code"], message["reason"]
            return None
        return message["bytes"]


def rerun(*, on_timer: bool = False) -> BackMsg:
    """What Streamlit's browser side sends when a page shall run."""
    message = BackMsg()
    message.rerun_script.is_auto_rerun = on_timer
    return message
