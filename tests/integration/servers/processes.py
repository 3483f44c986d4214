"""Programs that run while a test does."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

STARTS_WITHIN_S = 180


def free_port() -> int:
    """A TCP port that nobody listens on now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def listens(port: int) -> bool:
    """Whether somebody takes connections on a port of this computer."""
    with socket.socket() as sock:
        sock.settimeout(1)
        return sock.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def running(
    command: Sequence[str | Path], log: Path, ready: Callable[[], bool], environment: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Runs a program until the block is left.

    Args:
        command: Its path and arguments.
        log: Takes what it prints.
        ready: Asked until it says yes, before the block begins.
        environment: All its variables; None for those of the tests.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(
            list(map(str, command)), stdout=output, stderr=output, cwd=log.parent, env=environment
        )
    try:
        deadline = time.monotonic() + STARTS_WITHIN_S
        while not ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[0]} does not start: {log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.1)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
