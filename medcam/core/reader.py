"""Who reads, audits and administers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from medcam.core.errors import InvalidValueError


class Role(StrEnum):
    """What somebody may do. A reader reads studies, an auditor the trail; an administrator also changes who may."""

    READER = "reader"
    AUDITOR = "auditor"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who may sign in.

    Args:
        id: Their number in the store.
        issuer: Who vouches for them: the address of an OIDC provider, "proxy", or "local".
        subject: What the issuer calls them; never given to somebody else.
        name: What they are called.
        roles: At least one.
        everything: Whether they may read every study; others read those that are assigned to them.
        active: Whether they may sign in.
    """

    id: int
    issuer: str
    subject: str
    name: str
    roles: frozenset[Role]
    everything: bool = False
    active: bool = True

    def __post_init__(self) -> None:
        if not (self.issuer and self.subject):
            raise InvalidValueError("a reader needs an issuer and a subject")
        if not self.roles:
            raise InvalidValueError("a reader needs at least one role")

    @property
    def label(self) -> str:
        """How records name them: "subject@issuer"."""
        return f"{self.subject}@{self.issuer}"

    def has(self, *roles: Role) -> bool:
        """Whether they have one of these roles."""
        return bool(self.roles & set(roles))
