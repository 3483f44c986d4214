"""A gate with a page behind it, readers, a clock and an audit trail."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from access import FilmBytes, Gate, HeaderWay, Hooks, Identity, Limits, LocalWay, film_route, reader_of
from components.film_view import MAPS
from serve import load_maps

from .client import Client

PROXY, SECRET = "10.0.0.7", "a secret of the proxy's"
DIGEST = "ab" * 32


@dataclass(frozen=True)
class Person:
    """A reader of the store."""

    id: str
    name: str
    roles: frozenset[str]


class Clock:
    """A clock that a test moves."""

    def __init__(self):
        self.now = 1_750_000_000.0

    def __call__(self):
        return self.now


class Store:
    """Readers by their subject, and the studies assigned to each."""

    def __init__(self):
        self.readers = {
            "ada": Person("r1", "Ada", frozenset({"reader"})),
            "bob": Person("r2", "Bob", frozenset({"reader"})),
            "ann": Person("r3", "Ann", frozenset({"auditor"})),
            "roy": Person("r4", "Roy", frozenset({"admin"})),
        }
        self.assigned = {"r1": {"study-a"}, "r2": {"study-b"}, "r3": {"study-a", "study-b"}, "r4": {"study-a"}}
        self.asked = 0

    def admit(self, identity: Identity) -> Person | None:
        self.asked += 1
        return self.readers.get(identity.subject)

    def may_open(self, reader: Person, study: str) -> bool:
        return study in self.assigned[reader.id]


@dataclass
class Trail:
    """What the hooks were told."""

    logins: list[str] = field(default_factory=list)
    refusals: list[tuple[str | None, str, str]] = field(default_factory=list)
    ends: list[tuple[str, str]] = field(default_factory=list)

    def hooks(self) -> Hooks:
        return Hooks(
            lambda identity: self.logins.append(identity.subject),
            lambda identity, path, why: self.refusals.append((identity and identity.subject, path, why)),
            lambda identity, why: self.ends.append((identity.subject, why)),
        )

    @property
    def last(self) -> str:
        return self.refusals[-1][2]


async def _page(request: Request) -> JSONResponse:
    reader = reader_of(request)
    return JSONResponse({"reader": reader.id, "headers": sorted(request.headers)})


async def _anyone(_request: Request) -> JSONResponse:
    return JSONResponse({"anyone": True}, headers={"Cache-Control": "public, max-age=600"})


async def _stream(websocket: WebSocket) -> None:
    """As Streamlit does it: a session is named or begun, each message is answered."""
    await websocket.accept()
    asked = websocket.headers.get("sec-websocket-protocol", "").split(",")
    session = asked[2].strip() if len(asked) > 2 else f"page-of-{websocket.state.medcam_reader.id}"
    begun = ForwardMsg()
    begun.new_session.initialize.session_id = session
    await websocket.send_bytes(begun.SerializeToString())
    await websocket.send_bytes(json.dumps(sorted(websocket.headers)).encode())
    try:
        while True:
            await websocket.send_bytes(b"heard " + await websocket.receive_bytes())
    except WebSocketDisconnect:
        await websocket.app.state.ended()


@dataclass
class House:
    """The gate and all that a test looks at."""

    app: Starlette
    clock: Clock
    store: Store
    trail: Trail
    loaded: list[tuple[str, str]]
    ended: list[bool]

    def client(self, peer: str | None = "127.0.0.1", **headers: str) -> Client:
        return Client(self.app, peer, {name.replace("_", "-"): value for name, value in headers.items()})

    def by_proxy(self, subject: str, **headers: str) -> Client:
        return self.client(PROXY, X_Forwarded_User=subject, X_Proxy_Secret=SECRET, **headers)


@pytest.fixture
def build() -> Callable[..., House]:
    """Builds a gate for a way of signing in."""

    def make(way, limits: Limits | None = None, films: Mapping[tuple[str, str], FilmBytes] | None = None) -> House:
        clock, store, trail, loaded, ended = Clock(), Store(), Trail(), [], []

        def load(study: str, digest: str) -> FilmBytes | None:
            loaded.append((study, digest))
            return (films or {}).get((study, digest))

        async def end() -> None:
            ended.append(True)

        routes = [
            film_route(store, load),
            film_route(store, load_maps, MAPS),
            Route("/_stcore/health", _anyone),
            Route("/auth/{step}", _anyone),
            Route("/oauth2callback", _anyone),
            Route("/static/{name}", _anyone),
            WebSocketRoute("/_stcore/stream", _stream),
            Route("/{path:path}", _page, methods=["GET", "POST", "PUT"]),
        ]
        gate = Middleware(Gate, way=way, access=store, hooks=trail.hooks(), limits=limits, clock=clock)
        app = Starlette(routes=routes, middleware=[gate])
        app.state.ended = end
        return House(app, clock, store, trail, loaded, ended)

    return make


@pytest.fixture
def local(build) -> House:
    """For one reader at their own desk."""
    return build(LocalWay(Identity("ada", "local", "Ada")))


@pytest.fixture
def behind_proxy(build) -> House:
    """For readers who are signed in by a proxy."""
    way = HeaderWay((PROXY,), secret_header="X-Proxy-Secret", secret=SECRET, name_header="X-Forwarded-Name")
    return build(way, films={("study-a", DIGEST): FilmBytes(b"\x1f\x8bfilm"), ("study-b", DIGEST): FilmBytes(b"b")})
