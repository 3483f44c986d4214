"""Worker processes of a server: started, watched, started again when one dies, and ended with the server."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_LONGEST_PAUSE, _HEALTHY_SECONDS, _STOP_SECONDS = 60.0, 60.0, 20.0
_LOOK_SECONDS = 0.5
PARENT_VARIABLE = "MEDCAM_WORK_WITH_PARENT"
"""Environment variable that tells a worker to end when its standard input is closed."""


class WorkerProcesses:
    """Processes of `medcam work` beside a server. They do not outlive it, not even when it is killed.

    Args:
        store: What they are told of the store, as `medcam work --store` takes it.
        number: How many.
        threads: Of each.
        engine: What computes their maps; empty for what `medcam work` takes by default.
    """

    def __init__(self, store: str, number: int = 1, threads: int = 1, engine: str = "") -> None:
        # A URL may hold a password, and everybody on a machine sees the arguments of its processes.
        self._environment = {**os.environ, "MEDCAM_STORE": store, PARENT_VARIABLE: "1"}
        self._command = [sys.executable, "-m", "medcam", "work", "--threads", str(threads)]
        if engine:
            self._command += ["--engine", engine]
        self._stop, self._alive, self._lock = threading.Event(), 0, threading.Lock()
        self._watchers = [
            threading.Thread(target=self._watch, name=f"medcam-work-{place}", daemon=True) for place in range(number)
        ]

    @property
    def alive(self) -> int:
        """How many run now."""
        return self._alive

    def start(self) -> None:
        """Starts them."""
        for watcher in self._watchers:
            watcher.start()

    def stop(self) -> None:
        """Ends them; what they are working on waits for the next ones."""
        self._stop.set()
        for watcher in self._watchers:
            watcher.join()

    def _watch(self) -> None:
        pause = 1.0
        while not self._stop.is_set():
            began = time.monotonic()
            with self._process() as process:
                while process.poll() is None and not self._stop.wait(_LOOK_SECONDS):
                    pass
            # One that cannot start fails at once: it is not tried a hundred times a second.
            pause = 1.0 if time.monotonic() - began > _HEALTHY_SECONDS else min(2 * pause, _LONGEST_PAUSE)
            self._stop.wait(pause)

    def _count(self, more: int) -> None:
        with self._lock:
            self._alive += more

    @contextmanager
    def _process(self) -> Iterator[subprocess.Popen[bytes]]:
        process = subprocess.Popen(  # noqa: S603  our own command
            self._command, env=self._environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
        )
        self._count(1)
        try:
            yield process
        finally:
            self._count(-1)
            assert process.stdin is not None
            with contextlib.suppress(OSError):
                process.stdin.close()
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def worker_processes(store: str, number: int, threads: int = 1, engine: str = "") -> Iterator[WorkerProcesses]:
    """Worker processes that live as long as a block; arguments as `WorkerProcesses`."""
    processes = WorkerProcesses(store, number, threads, engine)
    processes.start()
    try:
        yield processes
    finally:
        processes.stop()
