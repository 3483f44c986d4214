"""Runs the real server of the review pages and a crowd of simulated readers, each a process, and watches both."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from medcam.core.errors import MedcamError
from medcam.experiments.bench.process import processor_seconds, resident_mib
from medcam.service.review import dashboards_folder, running_review
from medcam.service.review_settings import HOST, ReviewSettings

USER_HEADER, SECRET_HEADER = "X-Forwarded-User", "X-Proxy-Secret"


class LoadError(MedcamError):
    """The simulated readers could not do their work."""

    default_code = "bench-readers"
    default_next_step = "Run `medcam doctor`, and the command again with --quick."


@dataclass(frozen=True, slots=True)
class Load:
    """What a crowd does.

    Args:
        readers: Names of its readers.
        reruns: It stops after so many, all readers together.
        seconds: And after so long.
        think: Mean seconds that a reader thinks before each act, exponentially distributed; 0 for none.
        seed: Of what they do.
    """

    readers: Sequence[str]
    reruns: int
    seconds: float
    think: float
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Served:
    """A server that answers.

    Args:
        process: Its number.
        port: Where it listens.
        secret: What the proxy would tell it.
    """

    process: int
    port: int
    secret: str


@dataclass(frozen=True, slots=True)
class LoadRecord:
    """What a crowd met.

    Args:
        seconds: How long it was at work.
        runs: Name, seconds and bytes of every rerun, by reader.
        fetches: Seconds and bytes of every film, and of the maps over it, that was fetched.
        errors: What went wrong.
        memory: Reruns done, and MiB that the server held; about one a second.
        processor: Seconds that the server had of the processor meanwhile; None where the system does not tell.
    """

    seconds: float
    runs: tuple[tuple[tuple[str, float, int], ...], ...]
    fetches: tuple[tuple[float, int], ...]
    errors: tuple[str, ...]
    memory: tuple[tuple[int, float], ...]
    processor: float | None

    @property
    def reruns(self) -> int:
        """How many there were."""
        return sum(len(one) for one in self.runs)


@contextmanager
def served(store: str, port: int) -> Iterator[Served]:
    """Serves a store to readers whom a proxy signs in, on this computer alone.

    Args:
        store: From `check_store`.
        port: A free one.

    Raises:
        ReviewError: The server cannot be started.
    """
    secret = secrets.token_urlsafe(24)
    sign_in = {"proxies": [HOST], "user_header": USER_HEADER, "secret_header": SECRET_HEADER, "secret": secret}
    # Readers hand in no films here, so that no worker waits for them.
    settings = ReviewSettings(HOST, port, "proxy", sign_in, idle_minutes=720.0, workers=0)
    with running_review(store, settings) as server:
        yield Served(server.pid, port, secret)


def send_readers(server: Served, load: Load, tell: Callable[[int], None] = lambda _: None) -> LoadRecord:
    """Lets a crowd read, and watches the server's memory meanwhile.

    Args:
        server: From `served`.
        load: What the crowd does.
        tell: Called about once a second with the reruns done.

    Raises:
        LoadError: The crowd broke.
    """
    plan = {
        "habits": {
            "host": HOST,
            "port": server.port,
            "headers": {SECRET_HEADER: server.secret},
            "user_header": USER_HEADER,
            "think": load.think,
        },
        "readers": list(load.readers),
        "reruns": load.reruns,
        "seconds": load.seconds,
        "seed": load.seed,
    }
    memory: list[tuple[int, float]] = []
    before = processor_seconds(server.process)
    record: Mapping[str, Any] | None = None
    for line in _said([sys.executable, str(dashboards_folder() / "load_test.py")], json.dumps(plan)):
        if "record" in line:
            record = line["record"]
            continue
        held = resident_mib(server.process)
        if held is not None:
            memory.append((line["reruns"], held))
        tell(line["reruns"])
    if record is None:
        raise LoadError("the simulated readers ended without a result")
    after = processor_seconds(server.process)
    return _record(record, memory, None if before is None or after is None else after - before)


def _said(command: Sequence[str], told: str) -> Iterator[dict[str, Any]]:
    """Runs a program that reads JSON, and gives the lines of JSON that it writes; it is ended with the block."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as crowd:  # noqa: S603  our own
        assert crowd.stdin is not None
        assert crowd.stdout is not None
        try:
            crowd.stdin.write(told)
            crowd.stdin.close()
            for line in crowd.stdout:
                yield json.loads(line)
        finally:
            crowd.kill()


def _record(record: Mapping[str, Any], memory: Sequence[tuple[int, float]], processor: float | None) -> LoadRecord:
    tallies = record["tallies"]
    return LoadRecord(
        seconds=record["seconds"],
        runs=tuple(tuple((run["act"], run["seconds"], run["received"]) for run in one["runs"]) for one in tallies),
        fetches=tuple((seconds, size) for one in tallies for seconds, size in one["fetches"]),
        errors=tuple(error for one in tallies for error in one["errors"]),
        memory=tuple(memory),
        processor=processor,
    )
