"""What a refused request gets: a plain page for people, JSON for programs; and the headers on every answer."""

from __future__ import annotations

import html
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Message, Send

from .paths import SIGN_IN, SIGN_OUT

STATIC = "/static/"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a request is refused.

    Args:
        status: HTTP status.
        title: In a few words.
        advice: What the person can do.
    """

    status: int
    title: str
    advice: str


_SIGN_IN = "Sign in to go on."
_ADMINISTRATOR = "Tell the administrator of this dashboard."

REASONS = {
    "no-identity": Reason(401, "You are not signed in", _SIGN_IN),
    "no-session": Reason(401, "Your session is not known", "Load the page again."),
    "idle": Reason(401, "Your session ended", "Nothing was done for a while. " + _SIGN_IN),
    "too-old": Reason(401, "Your session ended", "It reached its longest time. " + _SIGN_IN),
    "signed-out": Reason(401, "You are signed out", _SIGN_IN),
    "other-identity": Reason(401, "Somebody else signed in", _SIGN_IN),
    "forged-header": Reason(401, "You are not signed in", "Open the dashboard through its proxy."),
    "untrusted-peer": Reason(401, "You are not signed in", "Open the dashboard through its proxy."),
    "wrong-secret": Reason(401, "The proxy is not the one expected", _ADMINISTRATOR),
    "ambiguous-header": Reason(401, "The proxy does not say clearly who you are", _ADMINISTRATOR),
    "not-loopback": Reason(401, "This dashboard serves its own computer alone", _ADMINISTRATOR),
    "through-a-proxy": Reason(401, "This dashboard serves its own computer alone", _ADMINISTRATOR),
    "not-admitted": Reason(
        403, "You have no access to this dashboard", "Ask its administrator, or sign in as another."
    ),
    "no-role": Reason(403, "Your role does not allow this", _ADMINISTRATOR),
    "cross-site": Reason(403, "Another web page asked for this", "Open the dashboard itself."),
    "wrong-origin": Reason(403, "Another web page asked for this", "Open the dashboard itself."),
    "wrong-host": Reason(400, "This dashboard is not called by that name", "Open it by its own address."),
    "bad-path": Reason(400, "There is no such address", "Go back to the start."),
    "closed": Reason(404, "There is nothing here", "Go back to the start."),
    "not-found": Reason(404, "There is nothing here", "Go back to the start."),
    "other-session": Reason(404, "There is nothing here", "Load the page again."),
}
"""Every reason by its code; the audit trail keeps the codes."""

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title} - medcam</title>
<style>
body {{ margin: 0; min-height: 100vh; display: grid; place-content: center; background: #0d1013; color: #eceff2;
  font: 16px/1.5 system-ui, sans-serif; }}
main {{ max-width: 26rem; padding: 2rem; border: 1px solid #2a3037; border-radius: 4px; background: #161a1f; }}
h1 {{ margin: 0 0 .5rem; font-size: 1.25rem; font-weight: 600; }}
p {{ margin: 0 0 1rem; color: #c6cdd4; }}
p:last-child {{ margin: 0; font-size: .8125rem; color: #9aa4ae; }}
a, button {{ display: inline-block; font: inherit; color: #0d1013; background: #8fb8d9; border: 0; border-radius: 4px;
  padding: .375rem 1rem; text-decoration: none; cursor: pointer; }}
a:focus-visible, button:focus-visible {{ outline: 2px solid #eceff2; outline-offset: 2px; }}
</style>
</head>
<body>
<main>
<h1>{title}</h1>
<p>{advice}</p>
{action}
<p>Research use. Not a medical device.</p>
</main>
</body>
</html>
"""


def refuse(connection: HTTPConnection, why: str, *, target: str = "/") -> Response:
    """The answer to a refused request.

    Args:
        connection: What was asked.
        why: Key of `REASONS`.
        target: Where to go after sign-in.
    """
    reason = REASONS[why]
    if not wants_page(connection):
        return JSONResponse({"code": why, "message": f"{reason.title}. {reason.advice}"}, reason.status)
    return page(reason.title, reason.advice, _action(why, reason.status, target), reason.status)


def page(title: str, advice: str, action: str = "", status: int = 200) -> HTMLResponse:
    """A plain page in the dashboard's colours.

    Args:
        title: Heading, as text.
        advice: One or two sentences, as text.
        action: A link or form, as HTML.
        status: HTTP status.
    """
    return HTMLResponse(_PAGE.format(title=html.escape(title), advice=html.escape(advice), action=action), status)


def start_form(target: str) -> str:
    """A button that begins a session where no password is asked for here."""
    return f'<form method="post" action="{SIGN_IN}?next={quote(target, safe="")}"><button>Continue</button></form>'


def _action(why: str, status: int, target: str) -> str:
    if why == "not-admitted":
        return f'<p><a href="{SIGN_OUT}">Sign out</a></p>'
    if status == HTTPStatus.UNAUTHORIZED:
        return f'<p><a href="{SIGN_IN}?next={quote(target, safe="")}">Sign in</a></p>'
    return '<p><a href="/">To the start</a></p>'


def wants_page(connection: HTTPConnection) -> bool:
    """Whether a person is to see the answer: the browser loads a document, or the client asks for HTML."""
    destination = connection.headers.get("sec-fetch-dest")
    if destination:
        return destination == "document"
    return "text/html" in connection.headers.get("accept", "")


def secured(send: Send, path: str, cookies: list[str]) -> Send:
    """Puts the headers of every answer on what is sent.

    Args:
        send: ASGI's.
        path: What was asked for. What is found under /static/ is Streamlit's own and the same for all; anything else
            is private, and not kept unless the answer itself says for how long.
        cookies: Values of Set-Cookie headers; the caller may add to the list until the answer begins.
    """

    async def send_secured(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["X-Content-Type-Options"] = "nosniff"
            headers["X-Frame-Options"] = "DENY"
            headers["Referrer-Policy"] = "same-origin"
            headers["Cross-Origin-Opener-Policy"] = "same-origin"
            headers["Cross-Origin-Resource-Policy"] = "same-origin"
            # No more than this: Streamlit's pages compile code of their own and write styles into the document.
            headers["Content-Security-Policy"] = "frame-ancestors 'none'; object-src 'none'; base-uri 'self'"
            for_all = path.startswith(STATIC) and message["status"] < HTTPStatus.BAD_REQUEST
            if not for_all and "private" not in headers.get("cache-control", ""):
                headers["Cache-Control"] = "private, no-store"
            for cookie in cookies:
                headers.append("Set-Cookie", cookie)
        await send(message)

    return send_secured
