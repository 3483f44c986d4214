"""A Ray cluster of this machine, on loopback and nowhere else, with a token and without usage statistics."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

PATIENCE = 400.0
ON_LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_USAGE_STATS_ENABLED": "0"}
_PROGRAM = """
import sys
from ray.cluster_utils import Cluster

cluster = Cluster()
for line in sys.stdin:
    node = cluster.add_node(num_cpus=1, object_store_memory=100 << 20, include_dashboard=False, wait=True)
    [raylet] = [ours for kind, ours in node.all_processes.items() if kind == "raylet"]
    print(cluster.address, raylet[0].process.pid, flush=True)
"""
"""`ray start` joins no cluster on loopback: it takes the setting that keeps it there for that of another system."""


@dataclass
class Nodes:
    """A cluster that begins with its first node.

    Args:
        program: The process that starts nodes.
        environment: Of all its processes, and of those that are to use it.
        log: What that process and its nodes have printed.
        address: Of the head.
    """

    program: subprocess.Popen[str]
    environment: dict[str, str]
    log: Path
    address: str = ""

    def add(self) -> int:
        """Adds a node of one core; the process id of its raylet, without which it is lost."""
        assert self.program.stdin
        assert self.program.stdout
        self.program.stdin.write("\n")
        self.program.stdin.flush()
        started = self.program.stdout.readline().split()
        assert started, self.log.read_text(errors="replace")
        self.address, raylet = started
        return int(raylet)


@contextmanager
def ray_nodes(more: Mapping[str, str]) -> Iterator[Nodes]:
    """A cluster of one node.

    Args:
        more: For the environment of its processes.
    """
    token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    # Where other programs keep the machine busy, workers that are nicer than they are would starve.
    environment = {**os.environ, **more, **ON_LOOPBACK, **token, "RAY_worker_niceness": "0"}
    # The paths of Ray's sockets must be short.
    with tempfile.TemporaryDirectory(prefix="r", ignore_cleanup_errors=True) as folder:
        # Where its files lie, and the note by which other programs would find and join it: Ray writes this one
        # to the folder named here and to no other, and makes none that is missing.
        environment["RAY_TMPDIR"] = folder
        log = Path(folder) / "log"
        with log.open("wb") as printed:
            program = subprocess.Popen(
                [sys.executable, "-c", _PROGRAM],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=printed,
                text=True,
                env=environment,
                start_new_session=True,
            )
        try:
            nodes = Nodes(program, environment, log)
            nodes.add()
            yield nodes
        finally:
            end(program.pid)
            program.communicate()


def family(pid: int) -> list[psutil.Process]:
    """A process's children and their children."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).children(recursive=True)
    return []


def workers(cluster: int) -> list[psutil.Process]:
    """Processes that open or explain films."""
    return [process for process in family(cluster) if "MapWorker" in " ".join(process.cmdline())]


def end(pid: int) -> None:
    """Kills a process that the tests have started, with all that it has started."""
    doomed = family(pid)
    for each in (pid, *(child.pid for child in doomed)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)
    psutil.wait_procs(doomed, timeout=10)


def listening(processes: list[psutil.Process]) -> Iterator[tuple[str, str]]:
    """Who listens for connections, and at which address."""
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            for connection in process.net_connections(kind="inet"):
                if connection.status == psutil.CONN_LISTEN:
                    yield process.name(), connection.laddr.ip.removeprefix("::ffff:")
