"""The review pages as a process: which store they show, how they are started, and how they are ended."""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import FrameType

import medcam
from medcam.core.errors import MedcamError, UsageError
from medcam.service.jobs.processes import worker_processes
from medcam.service.review_settings import HOST, SETTINGS_VARIABLE, STORE_VARIABLE, ReviewSettings
from medcam.service.studies.opened import opened_store
from medcam.store import sqlite_url

_START_SECONDS, _STOP_SECONDS = 60.0, 10.0


class ReviewError(MedcamError):
    """The review page cannot be shown."""

    default_code = "review"
    default_next_step = "Run `medcam doctor`."


def check_store(named: str | os.PathLike[str] | None) -> str:
    """What the server is told of a store.

    Args:
        named: A folder or a URL; None for the one in the user's data folder.

    Raises:
        UsageError: There is none (code `no-store`).
        StoreError: The database cannot be used.
        AuditKeyError: The key of its trail is not there.
    """
    with opened_store(named, make=False) as opened:
        address = opened.address
        if address.file is None:
            return address.url
        # A file that was named by a URL need not be called as in a folder, and its films may lie elsewhere. The server
        # starts in another folder, so that the path is told whole.
        by_url = named is not None and "://" in os.fspath(named)
        settings = "".join(address.url.partition("?")[1:])
        return sqlite_url(address.file) + settings if by_url else str(address.file.parent)


def dashboards_folder() -> Path:
    """Where the page's source lies: inside an installed package, or at the top of a checkout.

    Raises:
        ReviewError: In neither; code "no-dashboards".
    """
    package = Path(medcam.__file__).resolve().parent
    for folder in (package / "_dashboards", package.parent / "dashboards"):
        if (folder / "home.py").is_file():
            return folder
    raise ReviewError(
        "the pages of the dashboard are not installed", code="no-dashboards", next_step="Install medcam-cxr again."
    )


def check_port(port: int, address: str = HOST) -> None:
    """Makes sure that the page can listen on a port of this computer.

    Raises:
        UsageError: The port is no port, is taken or not allowed; code "port-unavailable".
    """
    if not 1 <= port <= 65535:
        raise _no_port(port, "a port lies between 1 and 65535")
    try:
        # As the server does: without it a port that was just given up counts as taken for a minute.
        with socket.socket() as probe:
            if os.name == "posix":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address, port))
    except OSError as error:
        raise _no_port(port, error.strerror or "it is taken") from error


def _no_port(port: int, why: str) -> UsageError:
    return UsageError(
        f"the review page cannot listen on port {port}: {why}",
        code="port-unavailable",
        next_step="Choose another with --port N.",
    )


def server_command() -> list[str]:
    """The command that serves the pages.

    Raises:
        ReviewError: Streamlit or the pages are not installed; code "no-streamlit" or "no-dashboards".
    """
    if importlib.util.find_spec("streamlit") is None:
        raise ReviewError(
            "the review page needs Streamlit, which is not installed",
            code="no-streamlit",
            next_step="Install it with `python -m pip install streamlit`.",
        )
    return [sys.executable, str(dashboards_folder() / "serve.py")]


def has_display() -> bool:
    """Whether a browser window can be opened here."""
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def serve_review(store: str, settings: ReviewSettings, on_ready: Callable[[str], None]) -> None:
    """Serves the pages until Ctrl-C or SIGTERM, then ends the server.

    Args:
        store: From `check_store`.
        settings: How they are served.
        on_ready: Called once with the page's address as soon as it answers.

    Raises:
        UsageError: The port is not free; code "port-unavailable".
        ReviewError: The server cannot start, stops by itself or never answers; code "no-streamlit", "no-dashboards",
            "review-stopped" or "review-silent".
    """
    try:
        with _asked_to_end(), running_review(store, settings) as server:
            on_ready(f"http://{settings.address}:{settings.port}")
            stopped = server.wait()
    except KeyboardInterrupt:
        return
    raise _stopped(stopped)


@contextmanager
def running_review(store: str, settings: ReviewSettings) -> Iterator[subprocess.Popen[bytes]]:
    """The pages' server as a process, from the time when it answers to the end of the block.

    Args:
        store: From `check_store`.
        settings: How the pages are served.

    Raises:
        UsageError, ReviewError: As `serve_review`.
    """
    check_port(settings.port, settings.address)
    with (
        worker_processes(store, settings.workers, engine=settings.engine),
        _running(server_command(), store, settings) as server,
    ):
        if not _answers(server, settings):
            code = server.poll()
            if code is None:
                raise ReviewError(f"the review page did not answer within {_START_SECONDS:.0f} s", code="review-silent")
            raise _stopped(code)
        yield server


def _stopped(code: int) -> ReviewError:
    return ReviewError(f"the review page stopped by itself (exit code {code})", code="review-stopped")


@contextmanager
def _running(command: list[str], store: str, settings: ReviewSettings) -> Iterator[subprocess.Popen[bytes]]:
    """The server, ended with the block whatever happens in it."""
    told = {STORE_VARIABLE: store, SETTINGS_VARIABLE: settings.to_json()}
    server = subprocess.Popen(command, env={**os.environ, **told, **_QUIET})  # noqa: S603  our own command
    try:
        yield server
    finally:
        _end(server)


_QUIET = {
    "FORWARDED_ALLOW_IPS": "",
    "PYTHONUNBUFFERED": "1",
    "MALLOC_ARENA_MAX": "2",
    "MALLOC_MMAP_THRESHOLD_": str(256 * 1024),
}
"""Nobody's word is taken for where a request comes from. And every run of a page is a thread: where each had a heap of
its own (glibc gives eight to a core), what one gave back would not serve the next. Large blocks, such as explanations
and messages, go back to the system by themselves: glibc would else soon lay them among small ones that outlive them."""


@contextmanager
def _asked_to_end() -> Iterator[None]:
    """Makes SIGTERM end the page as Ctrl-C does. Only the main thread may set this; elsewhere its owner decides."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _answers(server: subprocess.Popen[bytes], settings: ReviewSettings) -> bool:
    """Waits until the page answers; False when it ended before, or does not within a minute."""
    deadline = time.monotonic() + _START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        connection = HTTPConnection(settings.address, settings.port, timeout=1.0)
        try:
            connection.request("GET", "/_stcore/health")
            if connection.getresponse().status == HTTPStatus.OK:
                return True
        except (OSError, HTTPException):
            time.sleep(0.1)
        finally:
            connection.close()
    return False


def _end(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
