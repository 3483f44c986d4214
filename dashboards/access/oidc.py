"""The third way of knowing who asks: OpenID Connect, as Streamlit's `st.login` does it with Authlib.

Streamlit's own routes speak to the provider and set a signed cookie. Pages learn from Streamlit who that is; here the
same cookie is read with Streamlit's own functions, so that routes beside the pages know the same person.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from streamlit.user_info import generate_login_redirect_url
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME
from streamlit.web.server.starlette.starlette_websocket import (
    _get_signed_cookie_with_chunks,
    _parse_decoded_user_cookie,
)

from medcam.core.errors import InvalidValueError, UsageError

from .identity import Identity, Refusal
from .paths import OIDC_CALLBACK, OIDC_LOGOUT
from .ways import LOOPBACK, SignedIn

_PROVIDER = "default"
_SHORTEST_SECRET = 32


@dataclass(frozen=True, slots=True)
class OidcWay:
    """An OpenID provider signs people in.

    Args:
        redirect_uri: Where the provider sends people back to: the dashboard's own address and /oauth2callback.
        client_id: What the provider calls the dashboard.
        client_secret: What the dashboard proves it with.
        server_metadata_url: The provider's /.well-known/openid-configuration.
        cookie_secret: What cookies are signed with: random, 32 characters at least, kept between restarts.
        scope: What is asked of the provider; "openid" must be among it.
        prompt: How the provider asks: "select_account", "login" (password each time), ...
        hosts: Names by which the dashboard may be called; that of `redirect_uri` unless others are given.

    Raises:
        InvalidValueError: An address is none or goes over plain HTTP to another computer, the secret is short, ...
    """

    redirect_uri: str
    client_id: str
    client_secret: str = field(repr=False)
    server_metadata_url: str
    cookie_secret: str = field(repr=False)
    scope: str = "openid email profile"
    prompt: str = "select_account"
    hosts: frozenset[str] = frozenset()
    own_headers: frozenset[bytes] = frozenset()
    with_oidc: bool = True
    after_sign_out: str | None = OIDC_LOGOUT

    def __post_init__(self) -> None:
        for name in ("redirect_uri", "server_metadata_url"):
            url = urlsplit(getattr(self, name))
            plain = url.scheme == "http" and url.hostname in LOOPBACK
            if not (url.hostname and (plain or url.scheme == "https")):
                raise InvalidValueError(f"{name} must be an https:// address; plain HTTP is for this computer alone")
        if urlsplit(self.redirect_uri).path != OIDC_CALLBACK:
            raise InvalidValueError(f"redirect_uri must end with the dashboard's own {OIDC_CALLBACK}")
        if len(self.cookie_secret) < _SHORTEST_SECRET:
            raise InvalidValueError(f"cookie_secret needs {_SHORTEST_SECRET} characters at least")
        if not (self.client_id and self.client_secret) or "openid" not in self.scope.split():
            raise InvalidValueError("client_id and client_secret must be set, and openid be in scope")
        object.__setattr__(self, "hosts", self.hosts or frozenset({urlsplit(self.redirect_uri).hostname or ""}))

    @property
    def secure(self) -> bool:
        """See `ways.Way`."""
        return urlsplit(self.redirect_uri).scheme == "https"

    def secrets(self) -> dict[str, Any]:
        """What `st.App(secrets=...)` needs, so that Streamlit and this way know the same."""
        return {
            "auth": {
                "redirect_uri": self.redirect_uri,
                "cookie_secret": self.cookie_secret,
                "client_id": self.client_id,
                "client_secret": self.client_secret,
                "server_metadata_url": self.server_metadata_url,
                "client_kwargs": {"scope": self.scope, "prompt": self.prompt},
            }
        }

    def identify(self, connection: HTTPConnection) -> SignedIn:
        """See `ways.Way`."""
        cookie = _get_signed_cookie_with_chunks(dict(connection.cookies), USER_COOKIE_NAME)
        # The origin is that of the redirect URI, as Streamlit wrote it. Whether a websocket comes from there is for
        # the gate to check; an ordinary request for a page names no origin at all.
        claims = _parse_decoded_user_cookie(cookie, self.redirect_uri) if cookie else {}
        if claims.get("is_logged_in") is not True or claims.get("provider") != _PROVIDER:
            raise Refusal("no-identity")
        return _signed_in(claims)

    def login_address(self) -> str:
        """See `ways.Way`. Streamlit's address is good for two minutes."""
        return generate_login_redirect_url(_PROVIDER)

    def check_start(self, address: str) -> None:
        """See `ways.Way`."""
        if importlib.util.find_spec("authlib") is None or importlib.util.find_spec("httpx") is None:
            raise UsageError(
                "signing in with OpenID Connect needs Authlib and httpx, which are not installed",
                next_step="Install them with `python -m pip install Authlib httpx`.",
            )


def _signed_in(claims: Mapping[str, Any]) -> SignedIn:
    """The person and the one sign-in that the claims of an ID token tell.

    The key is made of claims, not of the cookie's bytes: one signature can be written in several ways in base64, and
    a cookie that was signed out must not come back in other clothes.
    """
    issued = claims.get("iat")
    if isinstance(issued, bool) or not isinstance(issued, int | float):
        raise Refusal("no-identity")
    try:
        identity = Identity(
            _text(claims, "sub"),
            _text(claims, "iss"),
            _text(claims, "name") or _text(claims, "preferred_username"),
            _text(claims, "email"),
        )
    except InvalidValueError:
        raise Refusal("no-identity") from None
    marks = [identity.issuer, identity.subject, issued, *(_text(claims, name) for name in ("nonce", "sid", "jti"))]
    return SignedIn(identity, hashlib.sha256(json.dumps(marks).encode()).hexdigest(), float(issued))


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    return value if isinstance(value, str) else ""
