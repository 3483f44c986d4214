"""The review page as a process: which folder it shows, how Streamlit is started, and how it is ended."""

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

HOST = "127.0.0.1"
DEFAULT_PORT = 8501
DEFAULT_RESULTS = Path("medcam-demo")
STORE_VARIABLE = "MEDCAM_STORE"
"""Environment variable by which the page learns which folder to show."""

_START_SECONDS, _STOP_SECONDS = 60.0, 10.0


class ReviewError(MedcamError):
    """The review page cannot be shown."""

    default_code = "review"
    default_next_step = "Run `medcam doctor`."


def results_folder(store: str | os.PathLike[str] | None = None) -> Path:
    """The folder that the page shows.

    Args:
        store: A folder that `medcam annotate --out` wrote, finished or under way; None for ./medcam-demo.

    Returns:
        Its absolute path.

    Raises:
        UsageError: There is no such folder; code "no-results".
    """
    folder = Path(store) if store is not None else DEFAULT_RESULTS
    if folder.is_dir():
        return folder.resolve()
    raise UsageError(
        f"there is no folder {os.fspath(folder)!r} with results to review",
        code="no-results",
        next_step="Run `medcam demo`, or `medcam annotate SOURCE --out DIR` and then `medcam review --store DIR`.",
    )


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


def check_port(port: int) -> None:
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
            probe.bind((HOST, port))
    except OSError as error:
        raise _no_port(port, error.strerror or "it is taken") from error


def _no_port(port: int, why: str) -> UsageError:
    return UsageError(
        f"the review page cannot listen on port {port}: {why}",
        code="port-unavailable",
        next_step="Choose another with --port N.",
    )


def streamlit_command(port: int) -> list[str]:
    """The command that serves the page: this computer only, nothing sent anywhere, no question asked.

    Raises:
        ReviewError: Streamlit or the pages are not installed; code "no-streamlit" or "no-dashboards".
    """
    if importlib.util.find_spec("streamlit") is None:
        raise ReviewError(
            "the review page needs Streamlit, which is not installed",
            code="no-streamlit",
            next_step="Install it with `python -m pip install streamlit`.",
        )
    options = [part for name, value in _options(port) for part in (f"--{name}", value)]
    return [sys.executable, "-m", "streamlit", "run", str(dashboards_folder() / "home.py"), *options]


def _options(port: int) -> tuple[tuple[str, str], ...]:
    return (
        ("server.address", HOST),
        ("server.port", str(port)),
        # Other names for this computer are refused, so that no web page can reach the results by renaming it.
        ("server.allowedHosts", HOST),
        ("server.allowedHosts", "localhost"),
        ("browser.serverAddress", HOST),
        # Pinned: a user's own settings of Streamlit must neither move the page nor open it to other web pages.
        ("server.baseUrlPath", ""),
        ("server.enableCORS", "true"),
        ("server.enableXsrfProtection", "true"),
        ("browser.gatherUsageStats", "false"),
        # The caller opens the browser, when there is one; Streamlit would also ask for an e-mail address.
        ("server.headless", "true"),
        ("server.showEmailPrompt", "false"),
        ("server.fileWatcherType", "none"),
        ("runner.postScriptGC", "false"),
        ("client.toolbarMode", "minimal"),
        ("client.showErrorDetails", "type"),
        ("global.developmentMode", "false"),
        ("logger.level", "warning"),
        ("logger.hideWelcomeMessage", "true"),
        *((f"theme.{name}", value) for name, value in _THEME),
    )


# Neutral greys as in the overlay pictures: a tinted or bright surround spoils the eye for a dark film.
_THEME = (
    ("base", "dark"),
    ("primaryColor", "#8fb8d9"),
    ("backgroundColor", "#0d1013"),
    ("secondaryBackgroundColor", "#161a1f"),
    ("textColor", "#eceff2"),
    ("borderColor", "#2a3037"),
    ("blueBackgroundColor", "#1b2025"),
    ("blueTextColor", "#c6cdd4"),
    ("yellowBackgroundColor", "#2a2213"),
    ("yellowTextColor", "#ffb729"),
    ("orangeTextColor", "#ffb729"),
    ("redBackgroundColor", "#2e1c1d"),
    ("redTextColor", "#f0a8a4"),
    ("baseRadius", "small"),
    ("baseFontSize", "15"),
)


def has_display() -> bool:
    """Whether a browser window can be opened here."""
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def serve_review(folder: Path, port: int, on_ready: Callable[[str], None]) -> None:
    """Serves the page until Ctrl-C or SIGTERM, then ends the server.

    Args:
        folder: From `results_folder`.
        port: Port on this computer.
        on_ready: Called once with the page's address as soon as it answers.

    Raises:
        UsageError: The port is not free; code "port-unavailable".
        ReviewError: The server cannot start, stops by itself or never answers; code "no-streamlit", "no-dashboards",
            "review-stopped" or "review-silent".
    """
    check_port(port)
    command = streamlit_command(port)
    try:
        with _asked_to_end(), _running(command, folder) as server:
            if _answers(server, port):
                on_ready(f"http://{HOST}:{port}")
                server.wait()
            stopped = server.poll()
    except KeyboardInterrupt:
        return
    if stopped is None:
        raise ReviewError(f"the review page did not answer within {_START_SECONDS:.0f} s", code="review-silent")
    raise ReviewError(f"the review page stopped by itself (exit code {stopped})", code="review-stopped")


@contextmanager
def _running(command: list[str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The server, ended with the block whatever happens in it."""
    server = subprocess.Popen(command, env={**os.environ, STORE_VARIABLE: str(folder)})  # noqa: S603  our own command
    try:
        yield server
    finally:
        _end(server)


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


def _answers(server: subprocess.Popen[bytes], port: int) -> bool:
    """Waits until the page answers; False when it ended before, or does not within a minute."""
    deadline = time.monotonic() + _START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        connection = HTTPConnection(HOST, port, timeout=1.0)
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
