"""Clients of the HTTP API that hand films in one by one, and one that hands in many at once."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import requests

_PATIENCE_S = 1800.0


@dataclass(slots=True)
class Visit:
    """What one client met.

    Args:
        waits: Seconds from handing a film in to having its explanation, for each of its films.
        errors: What went wrong: a status, a state or the type of an exception.
        ended: Seconds since the start of the test when it had everything.
    """

    waits: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    ended: float = 0.0


@dataclass(frozen=True, slots=True)
class Load:
    """What a load test met.

    Args:
        clients: Those that hand in film after film.
        flood: The one that hands in all of its films at once; its waits are from its own start.
        seconds: From the first film handed in to the last explanation.
    """

    clients: tuple[Visit, ...]
    flood: Visit
    seconds: float

    @property
    def films(self) -> int:
        """Explanations that were had."""
        return sum(len(one.waits) for one in (*self.clients, self.flood))

    @property
    def errors(self) -> list[str]:
        """All that went wrong."""
        return [error for one in (*self.clients, self.flood) for error in one.errors]


def run_clients(address: str, films: Sequence[Sequence[Path]], flood: Sequence[Path], secrets: Sequence[str]) -> Load:
    """Lets all clients at a server at once.

    Args:
        address: Of the server.
        films: DICOM files of each client, handed in one after another.
        flood: Those of the client that does not wait.
        secrets: A token for each client, and last for the flood.
    """
    began, gate = time.monotonic(), threading.Barrier(len(films) + 1)

    def visit(own: Sequence[Path], secret: str) -> Visit:
        met, session = Visit(), _session(secret)
        gate.wait()
        for film in own:
            _had(session, address, [film], met)
        met.ended = time.monotonic() - began
        return met

    def pour(secret: str) -> Visit:
        met, session = Visit(), _session(secret)
        gate.wait()
        _had(session, address, flood, met)
        met.ended = time.monotonic() - began
        return met

    with ThreadPoolExecutor(len(films) + 1) as pool:
        last = pool.submit(pour, secrets[-1])
        visits = tuple(pool.map(visit, films, secrets))
        poured = last.result()
    return Load(visits, poured, time.monotonic() - began)


def _session(secret: str) -> requests.Session:
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {secret}"
    return session


def _had(session: requests.Session, address: str, films: Sequence[Path], met: Visit) -> None:
    """Hands films in, each as a submission of its own, and waits until all explanations are there."""
    started = time.monotonic()
    try:
        for place in [_handed(session, address, film) for film in films]:
            _wait(session, place)
            for film_there in _json(session, place)["films"]:
                _explanation(session, address + film_there["explanation"])
                met.waits.append(time.monotonic() - started)
            session.delete(place, timeout=60).raise_for_status()
    except (requests.RequestException, ValueError, KeyError, RuntimeError) as error:
        met.errors.append(f"{type(error).__name__}: {error}"[:200])


def _handed(session: requests.Session, address: str, film: Path) -> str:
    taken = session.post(
        f"{address}/v1/submissions",
        data=film.read_bytes(),
        headers={"Content-Type": "application/dicom"},
        timeout=60,
    )
    taken.raise_for_status()
    return address + taken.headers["Location"]


def _wait(session: requests.Session, place: str) -> None:
    with session.get(f"{place}/events", stream=True, timeout=_PATIENCE_S) as stream:
        stream.raise_for_status()
        event = ""
        for line in stream.iter_lines(decode_unicode=True):
            if line.startswith("event: "):
                event = line.removeprefix("event: ")
            elif line.startswith("data: ") and event != "progress":
                state = json.loads(line.removeprefix("data: ")).get("state")
                if state != "done":
                    raise RuntimeError(f"a submission ended as {state or event}")
                return
    raise RuntimeError("the stream of events broke off")


def _explanation(session: requests.Session, place: str) -> None:
    """Fetches an explanation. What a client would make of it is no load of the service, so it is not parsed."""
    answer = session.get(place, timeout=60)
    answer.raise_for_status()
    if not answer.content.startswith(b'{"schema_version"'):
        raise ValueError("what came is no explanation")


def _json(session: requests.Session, place: str) -> dict[str, list[dict[str, str]]]:
    answer = session.get(place, timeout=60)
    answer.raise_for_status()
    found: dict[str, list[dict[str, str]]] = answer.json()
    return found
