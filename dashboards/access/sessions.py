"""Sessions: since when a reader is signed in, when they last did something, and when that ends.

The table lives in the server's memory, so that a session which was ended stays ended: a signed cookie could be played
back. Time is that of the wall clock, since the steady one of some systems stands still while a computer sleeps. All
of it is for the event loop's thread; pages in other threads only read.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from medcam.core.errors import InvalidValueError

from .identity import Identity, Reader

_REMEMBERED_SECONDS = 12 * 3600.0
"""How long an ended session is remembered at least."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long things last, in seconds.

    Args:
        idle: A session ends when its reader did nothing for so long.
        longest: A session ends so long after sign-in, whatever its reader does.
        admission: So long is an answer of `Access.admit` believed before it is asked again.

    Raises:
        InvalidValueError: One of them is not above zero, or `idle` is above `longest`.
    """

    idle: float = 15 * 60.0
    longest: float = 12 * 3600.0
    admission: float = 5.0

    def __post_init__(self) -> None:
        if not (0 < self.idle <= self.longest and self.admission > 0):
            raise InvalidValueError("a session's idle time must lie above zero and within its longest time")


@dataclass(eq=False, slots=True)
class Session:
    """One person's stay, in as many tabs as they like.

    Args:
        key: Unguessable key by which requests find it.
        identity: Whose it is.
        started: When it began, in seconds since 1970.
        acted: When its reader last did something.
        ended: Code of the reason for which it was ended; None while it was not.
        ended_at: When that was.
        reader: Who was admitted, and
        admitted_at: when that was asked.
        welcomed: Whether the login was told to the hook.
        pages: Keys of Streamlit's own sessions that began in this one.
        on_end: Called when the session is ended, to close its websockets.
    """

    key: str
    identity: Identity
    started: float
    acted: float
    ended: str | None = None
    ended_at: float = 0.0
    reader: Reader | None = None
    admitted_at: float = 0.0
    welcomed: bool = False
    pages: set[str] = field(default_factory=set)
    on_end: set[Callable[[], None]] = field(default_factory=set)


class SessionTable:
    """All sessions of one server.

    Args:
        limits: How long they last.
        clock: Seconds since 1970.
    """

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.time) -> None:
        self.limits = limits
        self.clock = clock
        self._sessions: dict[str, Session] = {}

    def find(self, key: str | None) -> Session | None:
        """The session of a key, ended or not; None for a key that was never given out or is forgotten."""
        return self._sessions.get(key) if key else None

    def start(self, identity: Identity, key: str | None = None, since: float | None = None) -> Session:
        """Begins a session.

        Args:
            identity: Whose it is.
            key: Key of the sign-in it goes back to; a random one by default.
            since: When that was. An old sign-in that is not in the table is over at once: it may have been ended
                before the server forgot it.
        """
        self._forget()
        now = self.clock()
        began = now if since is None else min(since, now)
        session = Session(key or secrets.token_urlsafe(32), identity, began, began)
        self._sessions[session.key] = session
        return session

    def discard(self, session: Session) -> None:
        """Takes a session out of the table that never came to be used."""
        self._sessions.pop(session.key, None)

    def why_over(self, session: Session) -> str | None:
        """Code of the reason for which a session is over; None while it is not."""
        if session.ended:
            return session.ended
        now = self.clock()
        if now - session.acted > self.limits.idle:
            return "idle"
        return "too-old" if now - session.started > self.limits.longest else None

    def seconds_left(self, session: Session) -> float:
        """Seconds until a session ends if its reader does nothing; 0 when it is over."""
        if session.ended:
            return 0.0
        end = min(session.acted + self.limits.idle, session.started + self.limits.longest)
        return max(0.0, end - self.clock())

    def act(self, session: Session) -> None:
        """Takes note that the reader did something."""
        if self.why_over(session) is None:
            session.acted = self.clock()

    def end(self, session: Session, why: str) -> bool:
        """Ends a session and closes its websockets; False when it was ended before."""
        if session.ended:
            return False
        session.ended, session.ended_at = why, self.clock()
        for close in tuple(session.on_end):
            close()
        return True

    def _forget(self) -> None:
        # Past its idle time a sign-in is refused for its age alone, so that its end need not be remembered.
        now, kept = self.clock(), max(_REMEMBERED_SECONDS, self.limits.idle)
        for key, session in tuple(self._sessions.items()):
            last = session.ended_at if session.ended else session.acted + self.limits.idle
            if now - last > kept:
                del self._sessions[key]
