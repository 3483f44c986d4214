"""Two ways of knowing who asks without a password of ours: the user of this computer, and a header that a proxy sets.

The third, OpenID Connect, is in `oidc`. A way never guesses: it names one person, or raises `Refusal`.
"""

from __future__ import annotations

import getpass
import hmac
import ipaddress
import os
import re
from dataclasses import dataclass, field
from typing import Protocol

from starlette.requests import HTTPConnection

from medcam.core.errors import InvalidValueError, UsageError

from .identity import Identity, Refusal

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
FORWARDING_VARIABLE = "FORWARDED_ALLOW_IPS"
"""From whom uvicorn takes the client's address out of X-Forwarded-For. Empty: from nobody."""

_HEADER_NAME = re.compile(r"[a-z0-9!#$%&'*+.^`|~-]+")
# An underscore is left out on purpose: some proxies pass X_Forwarded_User on and strip X-Forwarded-User alone.
_FORWARDING = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip")
_SHORTEST_SECRET = 16


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What a way found out.

    Args:
        identity: Who asks.
        login: Key of the one sign-in that this goes back to; None where the way cannot tell one from another.
        since: When that was, in seconds since 1970; None where `login` is.
    """

    identity: Identity
    login: str | None = None
    since: float | None = None


class Way(Protocol):
    """How the dashboard learns who asks."""

    @property
    def hosts(self) -> frozenset[str]:
        """Names by which the dashboard may be called, without port; empty for any."""

    @property
    def secure(self) -> bool:
        """Whether browsers reach the dashboard by HTTPS alone, so that cookies may say so."""

    @property
    def own_headers(self) -> frozenset[bytes]:
        """Headers, in lower case, that carry identity or secrets: taken away before pages and routes see a request."""

    @property
    def with_oidc(self) -> bool:
        """Whether Streamlit's doors for OpenID Connect are open."""

    @property
    def after_sign_out(self) -> str | None:
        """Where to go after sign-out; None for a page of our own."""

    def identify(self, connection: HTTPConnection) -> SignedIn:
        """Who sent a request or opens a websocket.

        Raises:
            Refusal: Nobody that can be told.
        """

    def login_address(self) -> str | None:
        """Where a browser goes to sign in, good for a short while; None where that is not ours to say."""

    def check_start(self, address: str) -> None:
        """Makes sure that the way is safe for a server bound to an address.

        Raises:
            UsageError: It is not; the message says why.
        """


def peer_of(connection: HTTPConnection) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Address of the computer at the other end of the connection; None for a socket of another kind."""
    if connection.client is None:
        return None
    try:
        address = ipaddress.ip_address(connection.client.host)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def values_of(connection: HTTPConnection, name: str) -> list[bytes]:
    """All values of a header, as they came."""
    wanted = name.encode("ascii")
    return [value.strip() for key, value in connection.scope["headers"] if key.lower() == wanted]


def _system_user() -> Identity:
    try:
        import pwd
    except ImportError:
        name = getpass.getuser()
        return Identity(name, "local", name)
    # Not getpass: it believes the environment before it asks the system.
    entry = pwd.getpwuid(os.getuid())
    return Identity(entry.pw_name, "local", entry.pw_gecos.partition(",")[0].strip() or entry.pw_name)


@dataclass(frozen=True, slots=True)
class LocalWay:
    """Everybody is the user of this computer: for one reader at their own desk.

    Only programs of this computer reach the server; which of its users they belong to cannot be told. What comes
    through a proxy is refused: it would make the reader of whoever is behind it.
    """

    identity: Identity = field(default_factory=_system_user)
    hosts: frozenset[str] = LOOPBACK
    secure: bool = False
    own_headers: frozenset[bytes] = frozenset()
    with_oidc: bool = False
    after_sign_out: str | None = None

    def identify(self, connection: HTTPConnection) -> SignedIn:
        """See `Way`."""
        peer = peer_of(connection)
        if peer is None or not peer.is_loopback:
            raise Refusal("not-loopback")
        if any(values_of(connection, name) for name in _FORWARDING):
            raise Refusal("through-a-proxy")
        return SignedIn(self.identity)

    def login_address(self) -> None:
        """See `Way`."""

    def check_start(self, address: str) -> None:
        """See `Way`."""
        if address not in LOOPBACK:
            raise UsageError(
                f"without sign-in the dashboard serves this computer alone, not {address!r}",
                next_step="Bind to 127.0.0.1, or choose OpenID Connect or a proxy that signs people in.",
            )


@dataclass(frozen=True, slots=True)
class HeaderWay:
    """A proxy signs people in and says who they are in a header.

    The header counts from the proxies' addresses alone, and only with the secret where there is one. The address is
    that of the connection: uvicorn must not replace it by what X-Forwarded-For says, which anybody can write.

    Args:
        proxies: Addresses or networks of the proxies.
        user_header: Header with the person's subject.
        name_header: Header with the person's name, or None.
        email_header: Header with the person's address, or None.
        secret_header: Header with a secret that only the proxies know, or None.
        secret: That secret, 16 characters at least.
        issuer: Who vouches for the subjects.
        hosts: See `Way`.
        secure: See `Way`.
        after_sign_out: The proxy's own sign-out, such as /oauth2/sign_out; None for a page of our own.

    Raises:
        InvalidValueError: No proxy, an address that is none, a header's name that is none, a short or half-set secret.
    """

    proxies: tuple[str, ...]
    user_header: str = "x-forwarded-user"
    name_header: str | None = None
    email_header: str | None = "x-forwarded-email"
    secret_header: str | None = None
    secret: str = field(default="", repr=False)
    issuer: str = "proxy"
    hosts: frozenset[str] = frozenset()
    secure: bool = True
    after_sign_out: str | None = None
    with_oidc: bool = False
    own_headers: frozenset[bytes] = field(init=False)
    _networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not self.proxies:
            raise InvalidValueError("a header needs the addresses of the proxies that may set it")
        try:
            networks = tuple(ipaddress.ip_network(proxy) for proxy in self.proxies)
        except ValueError as error:
            raise InvalidValueError(f"no address or network of a proxy: {error}") from error
        for name in ("user_header", "name_header", "email_header", "secret_header"):
            value = getattr(self, name)
            if value is not None and not _HEADER_NAME.fullmatch(value.lower()):
                raise InvalidValueError(f"{value!r} is no name of a header for {name}")
            object.__setattr__(self, name, value and value.lower())
        if bool(self.secret_header) != bool(self.secret) or 0 < len(self.secret) < _SHORTEST_SECRET:
            raise InvalidValueError(f"a secret header needs a secret of {_SHORTEST_SECRET} characters at least")
        carriers = (self.user_header, self.name_header, self.email_header, self.secret_header)
        object.__setattr__(self, "own_headers", frozenset(name.encode() for name in carriers if name))
        object.__setattr__(self, "_networks", networks)

    def identify(self, connection: HTTPConnection) -> SignedIn:
        """See `Way`."""
        peer = peer_of(connection)
        users = values_of(connection, self.user_header)
        if peer is None or not any(peer in network for network in self._networks):
            raise Refusal("forged-header" if users else "untrusted-peer")
        if self.secret_header:
            given = values_of(connection, self.secret_header)
            if len(given) != 1 or not hmac.compare_digest(given[0], self.secret.encode()):
                raise Refusal("wrong-secret")
        if len(users) > 1:
            raise Refusal("ambiguous-header")
        try:
            texts = [self._text(connection, name) for name in (self.user_header, self.name_header, self.email_header)]
            if not texts[0]:
                raise Refusal("no-identity")
            return SignedIn(Identity(texts[0], self.issuer, *texts[1:]))
        except (UnicodeDecodeError, InvalidValueError):
            raise Refusal("ambiguous-header") from None

    @staticmethod
    def _text(connection: HTTPConnection, name: str | None) -> str:
        values = values_of(connection, name) if name else []
        return values[0].decode("utf-8") if len(values) == 1 else ""

    def login_address(self) -> None:
        """See `Way`."""

    def check_start(self, address: str) -> None:
        """See `Way`."""
        if os.environ.get(FORWARDING_VARIABLE) != "":
            raise UsageError(
                f"behind {address!r} the server would believe X-Forwarded-For about where a request comes from",
                next_step=f"Set {FORWARDING_VARIABLE} to an empty text before the server starts.",
            )
