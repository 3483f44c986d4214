"""A token of the HTTP API, without its secret."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Scope(StrEnum):
    """What a token is good for."""

    SUBMIT = "submit"
    READ = "read"
    METRICS = "metrics"


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A token without its secret.

    Args:
        name: What it is called; its submissions belong to this name.
        scopes: What it is good for.
        created: Seconds since 1970 UTC.
        expires: The same; None for never.
        revoked: The same; None while it is good.
    """

    name: str
    scopes: frozenset[Scope]
    created: float
    expires: float | None = None
    revoked: float | None = None

    def good(self, now: float) -> bool:
        """Whether it opens anything at a time."""
        return self.revoked is None and (self.expires is None or now < self.expires)
