"""The doorkeeper: says for every request and websocket whether its sender may come in, and in which session."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection

from .identity import Access, Hooks, Identity, Reader, Refusal
from .paths import OIDC_LOGOUT, SIGN_OUT
from .sessions import Limits, Session, SessionTable
from .ways import SignedIn, Way, values_of

SESSION_COOKIE = "medcam_session"
_FOREIGN = ("cross-site", "same-site")
_READING = ("GET", "HEAD")


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody who may come in.

    Args:
        session: Their session.
        reader: Who they are in the store.
        new: Whether the session begins with this request and its key must be handed out as a cookie.
    """

    session: Session
    reader: Reader
    new: bool = False


class Doorkeeper:
    """Knows the way, the sessions and who is admitted.

    Args:
        way: How it learns who asks.
        access: Who is admitted.
        hooks: Who is told.
        limits: How long sessions last.
        clock: Seconds since 1970.
    """

    def __init__(
        self, way: Way, access: Access, hooks: Hooks, limits: Limits, clock: Callable[[], float] = time.time
    ) -> None:
        self.way = way
        self.access = access
        self.table = SessionTable(limits, clock)
        self._hooks = hooks

    async def visit(self, connection: HTTPConnection, *, starts: bool, anew: bool = False) -> Visit:
        """Lets somebody in.

        Args:
            connection: Their request or websocket.
            starts: Whether a session may begin with it. Where each sign-in has a key of its own, any request may.
            anew: Whether one begins in place of a session that is over.

        Raises:
            Refusal: They may not come in.
        """
        signed = self.way.identify(connection)
        key = signed.login or connection.cookies.get(SESSION_COOKIE)
        session = await self._own_session(key, signed.identity)
        if session and anew and not signed.login and self.table.why_over(session):
            session = None
        new = session is None
        if session is None:
            session = self._start(signed, starts=starts)
        why = self.table.why_over(session)
        if why:
            await self.finish(session, why)
            raise Refusal(why, session.identity)
        try:
            reader = await self.admit(session)
        except Refusal:
            if new and not signed.login:
                self.table.discard(session)
            raise
        await self._welcome(session)
        return Visit(session, reader, new and not signed.login)

    async def admit(self, session: Session) -> Reader:
        """The session's reader, asked anew when the last answer is older than the limits allow.

        Raises:
            Refusal: The person is admitted no more; code "not-admitted".
        """
        now = self.table.clock()
        if session.reader is None or now - session.admitted_at > self.table.limits.admission:
            session.reader = await run_in_threadpool(self.access.admit, session.identity)
            session.admitted_at = now
        if session.reader is None:
            raise Refusal("not-admitted", session.identity)
        return session.reader

    async def finish(self, session: Session, why: str) -> None:
        """Ends a session and tells the hook, once."""
        if self.table.end(session, why):
            await run_in_threadpool(self._hooks.on_end, session.identity, why)

    async def sign_out(self, connection: HTTPConnection) -> None:
        """Ends the session that a request belongs to, if there is one."""
        try:
            signed = self.way.identify(connection)
        except Refusal:
            return
        session = await self._own_session(signed.login or connection.cookies.get(SESSION_COOKIE), signed.identity)
        if session is None and signed.login:
            # A sign-in that was never used: it is entered so that it cannot be used later.
            session = self._start(signed, starts=True)
        if session is not None:
            await self.finish(session, self.table.why_over(session) or "signed-out")

    async def tell_refused(self, refusal: Refusal, path: str) -> None:
        """Tells the hook of a refusal."""
        await run_in_threadpool(self._hooks.on_refused, refusal.identity, path, refusal.why)

    def check_sender(self, connection: HTTPConnection) -> None:
        """Refuses what another web page asks for, and what calls the dashboard by another name.

        Browsers say which page a request comes from, and a page cannot change what they say. A link from elsewhere may
        open a document; it may neither fetch nor embed nor send anything. Other ports of the same computer count as
        elsewhere.

        Raises:
            Refusal: Code "wrong-host", "wrong-origin" or "cross-site".
        """
        hosts = values_of(connection, "host")
        if self.way.hosts and (len(hosts) != 1 or _hostname(hosts[0]) not in self.way.hosts):
            raise Refusal("wrong-host")
        scope, headers = connection.scope, connection.headers
        is_socket = scope["type"] == "websocket"
        reads = not is_socket and scope["method"] in _READING
        origin = headers.get("origin")
        if (
            not reads
            and origin is not None
            and [urlsplit(origin).netloc.lower().encode()] != [host.lower() for host in hosts]
        ):
            raise Refusal("wrong-origin")
        if headers.get("sec-fetch-site") in _FOREIGN:
            opens = (
                reads and headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
            )
            if not opens or scope["path"] in (SIGN_OUT, OIDC_LOGOUT):
                raise Refusal("cross-site")

    async def _own_session(self, key: str | None, identity: Identity) -> Session | None:
        session = self.table.find(key)
        if session is None or session.identity.same_person(identity):
            return session
        await self.finish(session, "other-identity")
        return None

    def _start(self, signed: SignedIn, *, starts: bool) -> Session:
        if signed.login:
            return self.table.start(signed.identity, signed.login, signed.since)
        if not starts:
            raise Refusal("no-session", signed.identity)
        return self.table.start(signed.identity)

    async def _welcome(self, session: Session) -> None:
        if session.welcomed:
            return
        # Before the hook runs, so that requests that come in meanwhile tell of no second login.
        session.welcomed = True
        try:
            await run_in_threadpool(self._hooks.on_login, session.identity)
        except BaseException:
            session.welcomed = False
            raise


def _hostname(host: bytes) -> str | None:
    try:
        return urlsplit("//" + host.decode("ascii")).hostname
    except ValueError:
        return None
