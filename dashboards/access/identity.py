"""Who is asking: what a sign-in says about a person, and what the dashboard asks of whoever knows its readers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from medcam.core.errors import InvalidValueError, UsageError

ROLES = frozenset({"reader", "auditor", "admin"})
"""What a reader may be. A reader opens the studies assigned to them; an auditor opens any and answers none."""

_LONGEST = 512


@dataclass(frozen=True, slots=True)
class Identity:
    """A person as the sign-in names them. Subject and issuer together say who it is; name and address are for the eye.

    Args:
        subject: The person's name or number at the issuer, which never gives it to another person.
        issuer: Who vouches for it: the URL of an OpenID provider, "proxy", "local".
        name: What the person is called; empty when unknown.
        email: The person's address; empty when unknown. Nobody may have checked it, so no right may hang on it.

    Raises:
        InvalidValueError: Subject or issuer is empty, or a text is very long or holds control characters.
    """

    subject: str
    issuer: str
    name: str = ""
    email: str = ""

    def __post_init__(self) -> None:
        if not (self.subject.strip() and self.issuer.strip()):
            raise InvalidValueError("an identity needs a subject and an issuer")
        for text in (self.subject, self.issuer, self.name, self.email):
            if len(text) > _LONGEST or not text.isprintable():
                raise InvalidValueError("a text of an identity is too long or holds characters that cannot be printed")

    def same_person(self, other: Identity) -> bool:
        """Whether both name the same person, however they are called."""
        return (self.issuer, self.subject) == (other.issuer, other.subject)


class Reader(Protocol):
    """A person who was admitted."""

    @property
    def id(self) -> str:
        """The reader's own key in the store."""

    @property
    def name(self) -> str:
        """What the reader is called."""

    @property
    def roles(self) -> frozenset[str]:
        """What the reader may do: some of `ROLES`."""


class Access(Protocol):
    """Who is admitted, and to what. Asked again and again, from several threads, so that a right can be taken away."""

    def admit(self, identity: Identity) -> Reader | None:
        """The reader that an identity stands for; None for somebody who has no business here."""

    def may_open(self, reader: Reader, study: str) -> bool:
        """Whether a reader may see a study. False for a study that does not exist."""


def _nobody_listens(*_said: object) -> None:
    """The hook of a caller who keeps no trail."""


@dataclass(frozen=True, slots=True)
class Hooks:
    """Where the audit trail listens. Called in a worker thread; an error in one refuses the request with status 500.

    Args:
        on_login: A session began; called with the identity.
        on_refused: Something was refused; called with the identity if there is one, the path and the reason's code.
        on_end: A session ended; called with the identity and the reason's code ("signed-out", "idle", ...). A session
            that nobody asks for again ends unheard.
    """

    on_login: Callable[[Identity], None] = _nobody_listens
    on_refused: Callable[[Identity | None, str, str], None] = _nobody_listens
    on_end: Callable[[Identity, str], None] = _nobody_listens


class Refusal(Exception):  # noqa: N818  not an error: the answer to a question
    """A request is refused.

    Args:
        why: Stable code of the reason; `refusals.REASONS` has the words.
        identity: Who asked, if that is known.
    """

    def __init__(self, why: str, identity: Identity | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.identity = identity


class NotSignedInError(UsageError):
    """A page runs for somebody who is not signed in, or no longer."""

    default_next_step = "Load the page again and sign in."
