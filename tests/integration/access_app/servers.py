"""The processes of these tests: the page's server, and a provider that signs people in."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from ..servers.processes import free_port

ROOT = Path(__file__).resolve().parents[3]
HOST = "127.0.0.1"
PATIENCE = 60.0


@dataclass(frozen=True)
class Server:
    """A dashboard that answers."""

    port: int
    trail: Path

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self.port}"

    def events(self) -> list[list[str | None]]:
        """What the hooks were told so far."""
        return [json.loads(line) for line in self.trail.read_text().splitlines()] if self.trail.exists() else []

    def ask(self, path: str, peer: str = HOST, **headers: str) -> tuple[int, bytes]:
        """A request from an address of this computer, with headers of one's own making."""
        connection = HTTPConnection(HOST, self.port, timeout=PATIENCE, source_address=(peer, 0))
        try:
            connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


@contextmanager
def dashboard(
    folder: Path, way: str, *, port: int | None = None, idle: float = 900.0, **options: Any
) -> Iterator[Server]:
    """Runs the page's server."""
    server = Server(port or free_port(), folder / f"{way}.trail")
    settings = folder / f"{way}.json"
    settings.write_text(
        json.dumps({"way": way, "port": server.port, "idle": idle, "trail": str(server.trail), **options})
    )
    with running(["tests.integration.access_app.serve", str(settings)], server.port, "/_stcore/health"):
        yield server


@contextmanager
def provider(*people: dict[str, str]) -> Iterator[str]:
    """Runs an OpenID provider that asks for no password; gives its address."""
    port = free_port()
    claims = [part for person in people for part in ("--user-claims", json.dumps(person))]
    with running(["oidc_provider_mock", "--port", str(port), *claims], port, "/.well-known/openid-configuration"):
        yield f"http://{HOST}:{port}"


@contextmanager
def running(module: list[str], port: int, path: str) -> Iterator[None]:
    """Runs a module as a process, from the time when it answers until the block ends."""
    with subprocess.Popen(
        [sys.executable, "-m", *module], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            _wait(process, port, path)
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            said, _ = process.communicate(timeout=PATIENCE)
    assert "Traceback" not in said, said


def _wait(process: subprocess.Popen[str], port: int, path: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()
        connection = HTTPConnection(HOST, port, timeout=2)
        try:
            connection.request("GET", path)
            if connection.getresponse().status == 200:
                return
        except (OSError, HTTPException):
            time.sleep(0.1)
        finally:
            connection.close()
    raise AssertionError(f"nothing answers on port {port}")
