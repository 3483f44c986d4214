"""Who asks, and what they may do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from medcam.core.api_token import Scope
from medcam.server.api.context import ApiContext, Client, context_of
from medcam.server.api.problems import ApiError
from medcam.server.api.settings import is_loopback

LOCAL = Client("local@loopback", frozenset(Scope))
"""Whoever sits at this computer, where no tokens are asked for."""
_NOBODY = "nobody@token"
_bearer = HTTPBearer(auto_error=False, description="A token that `medcam tokens add` made.")


def allowed(scope: Scope) -> Callable[..., Client]:
    """A dependency: the client, where it may do what a scope stands for.

    Args:
        scope: What the route needs.
    """

    def check(request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> Client:
        context = context_of(request)
        client = _client(context, request, given.credentials if given else "")
        request.state.client = client.label
        if scope not in client.scopes:
            raise ApiError(
                403,
                f"this token lacks the scope {scope}",
                code="scope-missing",
                next_step=f"Use a token that was made with --scope {scope}.",
            )
        context.asking.take(client.label)
        return client

    return check


def _client(context: ApiContext, request: Request, secret: str) -> Client:
    if not context.tokens:
        _only_from_here(request)
        return LOCAL
    request.state.client = _NOBODY
    token = context.opened.tokens.find(secret) if secret else None
    if token is None:
        # Guesses are counted by address, so that they cannot be made as fast as the machine goes.
        context.asking.take(f"address {request.client.host if request.client else ''}")
        raise ApiError(
            401,
            "this needs a token that is good now",
            code="token-needed",
            next_step="Send `Authorization: Bearer TOKEN`; `medcam tokens add NAME` makes one.",
            headers={"WWW-Authenticate": "Bearer"},
        )
    return Client(f"{token.name}@token", token.scopes)


def _only_from_here(request: Request) -> None:
    """Without tokens a page of another site must not ask in its reader's name, by whatever name it calls this one."""
    host, origin = request.headers.get("host", ""), request.headers.get("origin")
    if not is_loopback(_hostname(host)) or origin not in (None, f"http://{host}"):
        raise ApiError(
            403,
            "without tokens only programs on this computer may ask",
            code="not-local",
            next_step="Call it by 127.0.0.1 or localhost, or use tokens: `medcam tokens add NAME`.",
        )


def _hostname(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
