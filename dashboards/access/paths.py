"""Paths of the dashboard: which are open to all, which are closed to all, and which are a trick."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

from .identity import Refusal

HEALTH = "/_stcore/health"
STREAM = "/_stcore/stream"
UPLOAD = "/_stcore/upload_file/"
SIGN_IN, SIGN_OUT, SESSION = "/sign-in", "/sign-out", "/session"
OIDC_LOGIN, OIDC_LOGOUT, OIDC_CALLBACK = "/auth/login", "/auth/logout", "/oauth2callback"

_CLOSED = ("/_stcore/agent", "/_stcore/script-health-check", "/_stcore/metrics")
"""Doors of Streamlit that run pages for no reader, or tell strangers how many there are. Nothing here needs them."""
# An encoded slash, backslash, dot, percent sign or control character: no link that the dashboard writes holds one.
_ENCODED_TRICK = re.compile(rb"%(2f|5c|2e|25|[01][0-9a-f]|7f)", re.IGNORECASE)
_TRICK = re.compile(r"//|\\|(^|/)\.{1,2}(/|$)|[\x00-\x1f\x7f]|%[0-9a-fA-F]{2}")


def is_trick(scope: Mapping[str, Any]) -> bool:
    """Whether a path could mean one thing to the gate and another behind it.

    Refused are `.` and `..` as parts, empty parts (double slashes), backslashes, control characters, any of these in
    percent encoding, twice encoded characters, and a decoded path that is not what the raw one decodes to.

    Args:
        scope: Of an ASGI request or websocket.
    """
    path: str = scope["path"]
    raw: bytes | None = scope.get("raw_path")
    if not path.startswith("/") or _TRICK.search(path):
        return True
    if raw is None:
        return False
    raw = raw.partition(b"?")[0]
    return bool(_ENCODED_TRICK.search(raw)) or unquote_to_bytes(raw) != path.encode("utf-8", "surrogateescape")


def refuse_tricks(scope: Mapping[str, Any]) -> None:
    """Refuses what `is_trick` tells of.

    Raises:
        Refusal: Code "bad-path".
    """
    if is_trick(scope):
        raise Refusal("bad-path")


def refuse_closed(path: str, *, with_oidc: bool, websocket: bool = False) -> None:
    """Refuses what nobody may open, signed in or not.

    Args:
        path: Decoded, without tricks.
        with_oidc: Whether sign-in is by OpenID Connect; otherwise its doors are closed.
        websocket: Whether a websocket is asked for: there is but one.

    Raises:
        Refusal: Code "closed".
    """
    closed = path.startswith(_CLOSED) or (not with_oidc and (path == OIDC_CALLBACK or path.startswith("/auth/")))
    if closed or (websocket and path != STREAM):
        raise Refusal("closed")


def is_login_step(path: str) -> bool:
    """Whether OpenID Connect needs a path before there is an identity."""
    return path in (OIDC_LOGIN, OIDC_CALLBACK, OIDC_LOGOUT)


def safe_target(target: str | None) -> str:
    """A place of the dashboard to go to after sign-in: the one that was asked for if it is one, else the start.

    Args:
        target: Path and query, as a client gave them.
    """
    if not target or len(target) > 1024 or not target.isascii() or not target.isprintable():
        return "/"
    path = target.partition("?")[0]
    scope = {"path": unquote_to_bytes(path).decode("utf-8", "surrogateescape"), "raw_path": path.encode("ascii")}
    if "#" in target or is_trick(scope) or path in (SIGN_IN, SIGN_OUT) or is_login_step(path):
        return "/"
    return target
