"""Who is asking, and what is refused: identity, sessions and the gate in front of the dashboard.

    way = LocalWay() | HeaderWay(...) | OidcWay(...)
    way.check_start(address)
    st.App(home, secrets=..., routes=[film_route(access, load)], middleware=[Middleware(Gate, way=way, access=access)])

In a page: `current_reader()`, and `watch_activity()` once per run. Pages and the starting program import this package
by the same name, `access`, since the open pages are known to the module.
"""

from .films import IDENTITY, FilmBytes, film_route, identity_of, reader_of, tell_refused
from .gate import Gate
from .identity import ROLES, Access, Hooks, Identity, NotSignedInError, Reader, Refusal
from .oidc import OidcWay
from .reader import current_identity, current_reader
from .sessions import Limits
from .ways import FORWARDING_VARIABLE, HeaderWay, LocalWay, SignedIn, Way

__all__ = [
    "FORWARDING_VARIABLE",
    "IDENTITY",
    "ROLES",
    "Access",
    "FilmBytes",
    "Gate",
    "HeaderWay",
    "Hooks",
    "Identity",
    "Limits",
    "LocalWay",
    "NotSignedInError",
    "OidcWay",
    "Reader",
    "Refusal",
    "SignedIn",
    "Way",
    "current_identity",
    "current_reader",
    "film_route",
    "identity_of",
    "reader_of",
    "tell_refused",
]
