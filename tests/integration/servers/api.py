"""`medcam serve` as a process of its own, which may be killed and started again."""

from __future__ import annotations

import io
import os
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import requests

from .processes import free_port, running

PATIENCE_S = 240


@contextmanager
def api(
    folder: Path, workers: int, *options: str, environment: dict[str, str] | None = None
) -> Iterator[tuple[str, psutil.Process]]:
    """Serves a store until the block is left; its address and its process.

    Args:
        folder: Takes store and log; what an earlier server left there is there again.
        workers: Processes that explain.
        options: More of the command line.
        environment: Variables of this server alone.
    """
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "medcam", "serve", "--store", folder / "store", "--port", port]
    command += ["--workers", workers, *options]

    def ready() -> bool:
        try:
            return requests.get(f"{address}/ready", timeout=5).status_code == 200
        except requests.ConnectionError:
            return False

    variables = {**os.environ, "MEDCAM_AUDIT_KEY": str(folder / "audit.pem"), **(environment or {})}
    with running(command, folder / "log", ready, variables) as process:
        yield address, psutil.Process(process.pid)


def hand_in(address: str, films: list[Path], query: str = "") -> str:
    """Hands in a study as an archive; the address of the submission."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        for film in films:
            file.write(film, film.name)
    taken = requests.post(
        f"{address}/v1/submissions{query}",
        data=archive.getvalue(),
        headers={"Content-Type": "application/zip"},
        timeout=30,
    )
    assert taken.status_code == 202, taken.text
    return address + taken.headers["Location"]


def workers_of(server: psutil.Process) -> list[psutil.Process]:
    """The workers that a server started."""
    return [child for child in server.children() if "work" in child.cmdline()]


def state(place: str) -> dict[str, Any]:
    """How far a submission is."""
    told: dict[str, Any] = requests.get(place, timeout=30).json()
    return told


def ended(place: str) -> bool:
    """Whether nothing more comes of a submission."""
    return state(place)["state"] in ("done", "failed")


def until(seen: Callable[[], bool], what: str) -> None:
    """Waits for something."""
    deadline = time.monotonic() + PATIENCE_S
    while not seen():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)
