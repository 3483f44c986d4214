"""Tokens of the HTTP API. The store has the digest of a token's secret; every change is noted in the audit trail."""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from collections.abc import Callable, Collection

from sqlalchemy import select

from medcam.core.api_token import ApiToken, Scope
from medcam.core.errors import UsageError
from medcam.store.engine import Store
from medcam.store.schema import ApiTokenRow
from medcam.store.trail import AuditDraft, AuditTrail

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_PREFIX = "medcam_"
_SECRET_BYTES = 32
_DAY = 86_400.0


class TokenStore:
    """The tokens of a store. All methods raise `StoreError` where the database cannot be used.

    Args:
        store: The database.
        trail: Where changes are noted.
        clock: Seconds since 1970 UTC.
    """

    def __init__(self, store: Store, trail: AuditTrail, clock: Callable[[], float] = time.time) -> None:
        self._store, self._trail, self._clock = store, trail, clock

    def add(
        self, name: str, scopes: Collection[Scope], *, days: float | None = None, by: str = "medcam"
    ) -> tuple[str, ApiToken]:
        """Makes a token.

        Args:
            name: 1 to 63 small letters, digits, dots, underscores and hyphens; one that was never used.
            scopes: At least one.
            days: How long it is good; None for ever.
            by: Who decided it.

        Returns:
            Its secret, 256 random bits that are kept nowhere, and the token.

        Raises:
            UsageError: The name is none or taken, or nothing would be allowed (code `bad-token`).
        """
        if not _NAME.fullmatch(name) or not scopes or (days is not None and not days > 0.0):
            raise UsageError(
                "a token has a name of small letters, digits, '.', '_' and '-', a scope, and more than 0 days",
                code="bad-token",
            )
        secret = _PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
        now = self._clock()
        expires = None if days is None else now + _DAY * days
        row = ApiTokenRow(
            name=name, sha256=_digest(secret), scopes=" ".join(sorted(scopes)), created=now, expires=expires
        )
        with self._store.begin() as session:
            if session.scalar(select(ApiTokenRow.id).where(ApiTokenRow.name == name)) is not None:
                raise UsageError(
                    f"there is a token {name} already, or was one", code="bad-token", next_step="Choose another name."
                )
            session.add(row)
            body = {"token": name, "scopes": sorted(scopes), "expires": expires}
            self._trail.add(session, AuditDraft("token-added", by, body=body))
            return secret, _token(row)

    def all(self) -> list[ApiToken]:
        """All tokens, those that are no longer good too, by name."""
        with self._store.read() as session:
            return [_token(row) for row in session.scalars(select(ApiTokenRow).order_by(ApiTokenRow.name))]

    def find(self, secret: str) -> ApiToken | None:
        """The token of a secret, where it is good now."""
        if len(secret) > 10 * _SECRET_BYTES:
            return None
        query = select(ApiTokenRow).where(ApiTokenRow.sha256 == _digest(secret))
        with self._store.read() as session:
            row = session.scalar(query)
            token = None if row is None else _token(row)
        return token if token is not None and token.good(self._clock()) else None

    def revoke(self, name: str, *, by: str = "medcam") -> ApiToken:
        """Makes a token good for nothing, from the next request on.

        Raises:
            UsageError: There is none of this name (code `no-such-token`).
        """
        with self._store.begin() as session:
            row = session.scalar(select(ApiTokenRow).where(ApiTokenRow.name == name).with_for_update())
            if row is None:
                raise UsageError(
                    f"there is no token {name}", code="no-such-token", next_step="`medcam tokens list` shows them."
                )
            if row.revoked is None:
                row.revoked = self._clock()
                self._trail.add(session, AuditDraft("token-revoked", by, body={"token": name}))
            return _token(row)


def _digest(secret: str) -> str:
    # Of 256 random bits: nobody can try them all, so that a slow digest with salt would add nothing.
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _token(row: ApiTokenRow) -> ApiToken:
    scopes = frozenset(Scope(word) for word in row.scopes.split())
    return ApiToken(row.name, scopes, row.created, row.expires, row.revoked)
