"""The gate: ASGI middleware in front of every page, websocket, upload, file and route of the dashboard.

What needs no identity: the health check, and the steps of a sign-in. All else is refused without one, the files of
Streamlit's own browser side included.

What counts as doing something, so that a session goes on: loading a page, using a part of it, asking for an upload,
and `POST /session`, which a page sends while its reader moves, scrolls or types (see `activity`). What does not: the
first run of a page, which the browser asks for by itself, runs on a timer, and fetching films.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from urllib.parse import quote

from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from .identity import Access, Hooks, Refusal
from .keeper import SESSION_COOKIE, Doorkeeper, Visit
from .paths import (
    HEALTH,
    OIDC_LOGOUT,
    SESSION,
    SIGN_IN,
    SIGN_OUT,
    STREAM,
    UPLOAD,
    is_login_step,
    refuse_closed,
    refuse_tricks,
    safe_target,
)
from .reader import CONNECTION_HEADER
from .refusals import page, refuse, secured, start_form, wants_page
from .sessions import Limits
from .sockets import POLICY_VIOLATION, Line, own_pages_only
from .ways import Way

TARGET_COOKIE = "medcam_next"
_SEE_OTHER = 303
_READING = ("GET", "HEAD")


class Gate:
    """ASGI middleware: `Middleware(Gate, way=..., access=...)`, the first in the list of `st.App`.

    Args:
        app: What lies behind.
        way: How the gate learns who asks. `Way.check_start` is the caller's to call before the server starts.
        access: Who is admitted, and to what.
        hooks: Who is told.
        limits: How long sessions last.
        clock: Seconds since 1970.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        way: Way,
        access: Access,
        hooks: Hooks | None = None,
        limits: Limits | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._app = app
        self._way = way
        self._keeper = Doorkeeper(way, access, hooks or Hooks(), limits or Limits(), clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "http":
            await self._request(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        connection = HTTPConnection(scope)
        cookies: list[str] = []
        send = secured(send, scope["path"], cookies)
        try:
            answer = await self._decide(connection, cookies)
        except Refusal as refusal:
            await self._keeper.tell_refused(refusal, scope["path"])
            answer = refuse(connection, refusal.why, target=_place(connection))
        if isinstance(answer, Response):
            await answer(scope, receive, send)
        else:
            await self._app(answer, receive, send)

    async def _decide(self, connection: HTTPConnection, cookies: list[str]) -> Response | Scope:
        """The answer to a request, or the scope with which it goes on."""
        scope = connection.scope
        path = scope["path"]
        refuse_tricks(scope)
        if path == HEALTH and scope["method"] in _READING:
            return self._bare(scope)
        self._keeper.check_sender(connection)
        refuse_closed(path, with_oidc=self._way.with_oidc)
        if path in (SIGN_IN, SIGN_OUT, SESSION):
            return await self._own_page(connection, cookies)
        if self._way.with_oidc and is_login_step(path):
            if path == OIDC_LOGOUT:
                await self._keeper.sign_out(connection)
            return self._bare(scope)
        return await self._let_in(connection, cookies)

    async def _let_in(self, connection: HTTPConnection, cookies: list[str]) -> Response | Scope:
        """Goes on with a request of somebody who may come in."""
        scope = connection.scope
        path = scope["path"]
        loads = scope["method"] in _READING and wants_page(connection)
        visit = await self._keeper.visit(connection, starts=loads)
        self._hand_out(visit, cookies)
        if path.startswith(UPLOAD) and path.removeprefix(UPLOAD).partition("/")[0] not in visit.session.pages:
            raise Refusal("other-session", visit.session.identity)
        if loads:
            self._keeper.table.act(visit.session)
        wanted = safe_target(connection.cookies.get(TARGET_COOKIE))
        if loads and path == "/" and wanted != "/":
            cookies.append(self._cookie(TARGET_COOKIE, "", 0))
            return RedirectResponse(wanted, _SEE_OTHER)
        return self._with_reader(scope, visit)

    async def _own_page(self, connection: HTTPConnection, cookies: list[str]) -> Response:
        path, method = connection.scope["path"], connection.scope["method"]
        if method not in ("GET", "POST"):
            raise Refusal("closed")
        if path == SIGN_IN:
            return await self._sign_in(connection, cookies, begins=method == "POST")
        if path == SIGN_OUT:
            await self._keeper.sign_out(connection)
            return self._signed_out()
        visit = await self._keeper.visit(connection, starts=False)
        if method == "POST":
            self._keeper.table.act(visit.session)
        table = self._keeper.table
        return JSONResponse({"ends_in": table.seconds_left(visit.session), "idle": table.limits.idle})

    async def _sign_in(self, connection: HTTPConnection, cookies: list[str], *, begins: bool) -> Response:
        target = safe_target(connection.query_params.get("next"))
        login = self._way.login_address()
        if login is not None:
            # The provider sends people back to the start; the cookie remembers for ten minutes where they were going.
            cookies.append(self._cookie(TARGET_COOKIE, target, 600 if target != "/" else 0))
            return RedirectResponse(login, _SEE_OTHER)
        if begins:
            self._hand_out(await self._keeper.visit(connection, starts=True, anew=True), cookies)
            return RedirectResponse(target, _SEE_OTHER)
        person = self._way.identify(connection).identity
        return page("Begin a session", f"You are {person.name or person.subject}.", start_form(target))

    def _signed_out(self) -> Response:
        there = self._way.after_sign_out
        link = f'<p><a href="{SIGN_IN}">Sign in</a></p>'
        answer = RedirectResponse(there, _SEE_OTHER) if there else page("You are signed out", "Films are closed.", link)
        # Films may lie in the browser's cache, where the next person at this computer could ask for them.
        answer.headers["Clear-Site-Data"] = '"cache"'
        return answer

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        connection = HTTPConnection(scope)
        try:
            refuse_tricks(scope)
            self._keeper.check_sender(connection)
            refuse_closed(scope["path"], with_oidc=self._way.with_oidc, websocket=True)
            visit = await self._keeper.visit(connection, starts=False)
        except Refusal as refusal:
            await self._keeper.tell_refused(refusal, scope["path"])
            await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": refusal.why})
            return
        scope, foreign = own_pages_only(self._with_reader(scope, visit), visit)
        if foreign:
            await self._keeper.tell_refused(Refusal("other-session", visit.session.identity), STREAM)
        await Line(self._keeper, visit, receive, send).run(self._app, scope)

    def _bare(self, scope: Scope) -> Scope:
        """A scope without what tells of identity: it has been read, and pages must not see secrets."""
        taken = self._way.own_headers | {CONNECTION_HEADER.encode()}
        return {**scope, "headers": [(name, value) for name, value in scope["headers"] if name.lower() not in taken]}

    def _with_reader(self, scope: Scope, visit: Visit) -> Scope:
        known = {
            "medcam_identity": visit.session.identity,
            "medcam_reader": visit.reader,
            "medcam_tell_refused": self._keeper.tell_refused,
        }
        return {**self._bare(scope), "state": {**scope.get("state", {}), **known}}

    def _hand_out(self, visit: Visit, cookies: list[str]) -> None:
        if visit.new:
            cookies.append(self._cookie(SESSION_COOKIE, visit.session.key))

    def _cookie(self, name: str, value: str, seconds: int | None = None) -> str:
        answer = Response()
        answer.set_cookie(name, value, seconds, path="/", secure=self._way.secure, httponly=True, samesite="lax")
        return answer.headers["set-cookie"]


def _place(connection: HTTPConnection) -> str:
    """Where somebody was going, to be brought there after sign-in."""
    scope = connection.scope
    query: bytes = scope.get("query_string", b"")
    path: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
    return safe_target((path.partition(b"?")[0] + (b"?" + query if query else b"")).decode("latin-1"))
