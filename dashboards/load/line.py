"""One page in a simulated browser: sign-in, its websocket, and what is fetched beside it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection
from typing import Self

from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect

from load.wire import PageView, RunEnd, act_message

PATIENCE = 60.0
"""Seconds after which a run that did not end counts as an error."""
_LARGEST = 64 << 20


class LineError(Exception):
    """The server refused, hung up, was silent, or its page broke."""


@dataclass(frozen=True, slots=True)
class Run:
    """One rerun, as its reader waited for it.

    Args:
        act: What they did.
        seconds: From the message sent to the run's end received.
        received: Bytes that came for it.
    """

    act: str
    seconds: float
    received: int


class Line:
    """A page's websocket. Use it as an asynchronous context.

    Args:
        host: Of the server.
        port: Of the server.
        headers: That the proxy adds to whatever this reader asks for.
        cookies: Of this reader; see `sign_in`.
    """

    def __init__(self, host: str, port: int, headers: Mapping[str, str], cookies: str) -> None:
        self._host, self._port = host, port
        self._headers = {**headers, "Cookie": cookies}
        self.view = PageView()

    async def __aenter__(self) -> Self:
        self._socket: ClientConnection = await connect(
            f"ws://{self._host}:{self._port}/_stcore/stream",
            origin=f"http://{self._host}:{self._port}",  # type: ignore[arg-type]  # its NewType of str
            subprotocols=["streamlit"],  # type: ignore[list-item]
            additional_headers=self._headers,
            max_size=_LARGEST,
            compression=None,
            ping_interval=None,
            proxy=None,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._socket.close()

    async def act(self, name: str, pressed: WidgetState | None = None, *, page: str | None = None) -> Run:
        """Does something, and waits until the page has been drawn anew.

        Raises:
            LineError: It was not, or shows an error.
        """
        message = act_message(self.view, pressed, page=page)
        self.view.errors.clear()
        began = time.perf_counter()
        received = 0
        try:
            async with asyncio.timeout(PATIENCE):
                await self._socket.send(message)
                while True:
                    data = await self._socket.recv(decode=False)
                    received += len(data)
                    end = self.view.take(data)
                    if end is RunEnd.DONE:
                        break
                    if end is RunEnd.BROKEN:
                        raise LineError(f"{name}: the page's code broke")
        except (OSError, TimeoutError, EOFError) as error:
            raise LineError(f"{name}: {type(error).__name__}") from error
        seconds = time.perf_counter() - began
        if self.view.errors:
            raise LineError(f"{name}: {self.view.errors[0]}")
        return Run(name, seconds, received)

    async def fetch(self, path: str) -> tuple[float, bytes]:
        """Fetches a file as the page's own code does; how long it took in seconds, and what came.

        Raises:
            LineError: It was refused.
        """
        began = time.perf_counter()
        status, body, _ = await asyncio.to_thread(get, self._host, self._port, path, self._headers)
        if status != HTTPStatus.OK:
            raise LineError(f"a film or its maps were answered with {status}")
        return time.perf_counter() - began, body


async def sign_in(host: str, port: int, headers: Mapping[str, str]) -> str:
    """Loads the page behind the proxy as a browser does; the cookies that it is given.

    Raises:
        LineError: The gate refuses.
    """
    asked = {**headers, "Accept": "text/html"}
    status, _, cookies = await asyncio.to_thread(get, host, port, "/", asked)
    if status != HTTPStatus.OK or not cookies:
        raise LineError(f"the sign-in was answered with {status}")
    return "; ".join(cookie.partition(";")[0] for cookie in cookies)


def get(host: str, port: int, path: str, headers: Mapping[str, str]) -> tuple[int, bytes, list[str]]:
    """A request of its own connection: status, body and cookies.

    Raises:
        LineError: No answer came.
    """
    connection = HTTPConnection(host, port, timeout=PATIENCE)
    try:
        connection.request("GET", path, headers=dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.read(), answer.headers.get_all("Set-Cookie") or []
    except OSError as error:
        raise LineError(f"{path.partition('/')[0] or 'page'}: {type(error).__name__}") from error
    finally:
        connection.close()
