"""`medcam listen` as a process of its own, which may be killed and started again."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import requests

from .processes import free_port, running

AE_TITLE = "MEDCAM"
_LINE = re.compile(r'^medcam_jobs\{kind="(\w+)",state="(\w+)"\} ([0-9.e+]+)$', re.MULTILINE)


@dataclass
class Node:
    """A node on one data folder; it keeps its ports over restarts.

    Args:
        folder: Takes data and log.
        options: More of the command line.
    """

    folder: Path
    options: tuple[str, ...] = ()
    port: int = field(default_factory=free_port)
    health_port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def data(self) -> Path:
        """Its data folder."""
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """What it printed, all starts together."""
        return self.folder / "node.log"

    @property
    def command(self) -> list[str]:
        """Its command line."""
        ports = ["--port", str(self.port), "--health-port", str(self.health_port)]
        own = ["--aet", AE_TITLE, "--data", str(self.data), "--quiet", "0.5", *ports]
        return [sys.executable, "-m", "medcam", "listen", *own, *self.options]

    @contextmanager
    def runs(self, *more: str, environment: dict[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
        """Runs until the block is left.

        Args:
            more: Options of this start alone.
            environment: Variables of this start alone.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        variables = {**os.environ, **(environment or {})}
        with running([*self.command, *more], self.log, self._answers, variables) as process:
            self.process = process
            yield process

    def kill(self) -> None:
        """Ends it as a power cut would."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def metrics(self) -> str:
        """GET /metrics."""
        return requests.get(f"http://127.0.0.1:{self.health_port}/metrics", timeout=20).text

    def health(self) -> requests.Response:
        """GET /health."""
        return requests.get(f"http://127.0.0.1:{self.health_port}/health", timeout=20)

    def jobs(self) -> dict[tuple[str, str], int]:
        """Numbers of jobs by kind and state."""
        return {(kind, state): int(float(number)) for kind, state, number in _LINE.findall(self.metrics())}

    def wait_until(self, wanted: Callable[[dict[tuple[str, str], int]], bool], seconds: float = 240) -> None:
        """Waits for its jobs to be as wanted.

        Raises:
            TimeoutError: They do not come to be.
        """
        deadline = time.monotonic() + seconds
        while not wanted(self.jobs()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.jobs()}: {self.log.read_text(errors='replace')[-3000:]}")
            time.sleep(0.2)

    def wait_until_idle(self) -> None:
        """Waits until nothing is left to do."""
        self.wait_until(lambda jobs: sum(n for (_, state), n in jobs.items() if state in ("waiting", "running")) == 0)

    def _answers(self) -> bool:
        try:
            return self.health().status_code == 200
        except requests.RequestException:
            return False
