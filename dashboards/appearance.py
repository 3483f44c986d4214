"""Dark or light: dark at first, as in a reading room, and whatever the reader chose after that.

Streamlit keeps the choice of a theme in the browser for each address by itself, and follows the computer's setting
where there is none. A line of script in front of its start page tells it the reader's choice instead, which a cookie
holds for all pages.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from access.refusals import wants_page

COOKIE = "medcam_appearance"
DARK, LIGHT = "dark", "light"
_HEAD = b"<head>"
_SCRIPT = (
    '<script>try { localStorage.setItem("stActiveTheme-" + location.pathname + "-v2", '
    f"/(^|; ){COOKIE}={LIGHT}(;|$)/.test(document.cookie) ? '\"Light\"' : '\"Dark\"'); }} catch {{}}</script>"
).encode()
_STALE = frozenset((b"content-length", b"etag", b"last-modified"))
_ASKED = frozenset((b"accept-encoding", b"if-none-match", b"if-modified-since"))

# Neutral greys as in the overlay pictures: a tinted or bright surround spoils the eye for a dark film.
THEMES: dict[str, dict[str, str]] = {
    DARK: {
        "primaryColor": "#8fb8d9",
        "backgroundColor": "#0d1013",
        "secondaryBackgroundColor": "#161a1f",
        "textColor": "#eceff2",
        "linkColor": "#8fb8d9",
        "borderColor": "#2a3037",
        "blueBackgroundColor": "#1b2025",
        "blueTextColor": "#c6cdd4",
        "greenBackgroundColor": "#15241c",
        "greenTextColor": "#8fd6ac",
        "grayTextColor": "#9aa4ae",
        "yellowBackgroundColor": "#2a2213",
        "yellowTextColor": "#ffb729",
        "orangeTextColor": "#ffb729",
        "redBackgroundColor": "#2e1c1d",
        "redTextColor": "#f0a8a4",
    },
    LIGHT: {
        "primaryColor": "#1f5d8c",
        "backgroundColor": "#f4f5f6",
        "secondaryBackgroundColor": "#e6e9ec",
        "textColor": "#15191d",
        "linkColor": "#1f5d8c",
        "borderColor": "#c3cad1",
        "blueBackgroundColor": "#e1e6eb",
        "blueTextColor": "#2b3640",
        "greenBackgroundColor": "#dcecdf",
        "greenTextColor": "#1c5a34",
        "grayTextColor": "#4e5963",
        "yellowBackgroundColor": "#f7ead0",
        "yellowTextColor": "#6b4a00",
        "orangeTextColor": "#7d4d00",
        "redBackgroundColor": "#f6e0df",
        "redTextColor": "#8c1f1a",
    },
}
"""Streamlit's theme settings for each appearance."""


def theme_options() -> dict[str, Any]:
    """Both appearances as settings of Streamlit's server."""
    options: dict[str, Any] = {"theme.base": DARK, "theme.baseRadius": "small", "theme.baseFontSize": 14}
    return options | {f"theme.{name}.{key}": value for name, theme in THEMES.items() for key, value in theme.items()}


class Appearance:
    """ASGI middleware that puts the script into Streamlit's start page; behind the gate.

    Args:
        app: What lies behind.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "http" and scope["method"] == "GET" and wants_page(HTTPConnection(scope)):
            # The page is read here: neither packed nor left out because the browser has an older one.
            headers = [(name, value) for name, value in scope["headers"] if name.lower() not in _ASKED]
            scope = {**scope, "headers": headers, "extensions": {}}
            await self._app(scope, receive, _Answer(send))
        else:
            await self._app(scope, receive, send)


class _Answer:
    """An answer on its way, held back until it is whole where it is a page."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_page(message):
            self._start = message
        elif self._start is None:
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._finish(self._start)

    async def _finish(self, start: Message) -> None:
        body = self._body.replace(_HEAD, _HEAD + _SCRIPT, 1)
        headers = [(name, value) for name, value in start["headers"] if name.lower() not in _STALE]
        headers.append((b"content-length", str(len(body)).encode()))
        await self._send({**start, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})


def _is_page(start: Message) -> bool:
    kinds = [value for name, value in start["headers"] if name.lower() == b"content-type"]
    return bool(kinds) and kinds[0].startswith(b"text/html")
