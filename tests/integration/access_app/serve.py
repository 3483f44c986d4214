"""Serves the page: `python -m tests.integration.access_app.serve SETTINGS`, a file with JSON.

    {"way": "local" | "header" | "oidc", "port": N, "idle": seconds, "trail": path, ...}

What else is in it are the options of the way.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.middleware import Middleware

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "dashboards"))
"""As in the dashboard: its packages are imported by their own names."""

from access import (  # noqa: E402
    FORWARDING_VARIABLE,
    FilmBytes,
    Gate,
    HeaderWay,
    Hooks,
    Identity,
    Limits,
    LocalWay,
    OidcWay,
    film_route,
)

FILMS = {study: hashlib.shake_256(study.encode()).hexdigest(5000).encode() for study in ("study-a", "study-b")}
"""Letters that no compression makes much of."""
DIGESTS = {study: hashlib.sha256(film).hexdigest() for study, film in FILMS.items()}
WAYS = {"local": LocalWay, "header": HeaderWay, "oidc": OidcWay}


@dataclass(frozen=True)
class Person:
    """A reader and their studies."""

    id: str
    name: str
    roles: frozenset[str]
    studies: frozenset[str]


PEOPLE = {
    "ada": Person("r1", "Ada", frozenset({"reader"}), frozenset({"study-a"})),
    "bob": Person("r2", "Bob", frozenset({"reader"}), frozenset({"study-b"})),
}


class Store:
    """Who is admitted. At one's own desk the user of the computer is Ada."""

    def admit(self, identity: Identity) -> Person | None:
        return PEOPLE["ada"] if identity.issuer == "local" else PEOPLE.get(identity.subject)

    def may_open(self, reader: Person, study: str) -> bool:
        return study in reader.studies


def load(study: str, digest: str) -> FilmBytes | None:
    """A film as the store has it."""
    return FilmBytes(gzip.compress(FILMS[study])) if DIGESTS.get(study) == digest else None


def write_trail(path: Path) -> Hooks:
    """Hooks that write a line of JSON for each thing they are told."""

    def write(*said: Any) -> None:
        words = [word.subject if isinstance(word, Identity) else word for word in said]
        with path.open("a", encoding="utf-8") as trail:
            trail.write(json.dumps(words) + "\n")

    return Hooks(
        lambda identity: write("login", identity),
        lambda identity, at, why: write("refused", identity, at, why),
        lambda identity, why: write("end", identity, why),
    )


def main(settings: dict[str, Any]) -> None:
    """Serves until it is told to stop."""
    port, idle, trail = settings.pop("port"), settings.pop("idle"), Path(settings.pop("trail"))
    way = WAYS[settings.pop("way")](**settings)
    os.environ[FORWARDING_VARIABLE] = ""
    way.check_start("127.0.0.1")
    store = Store()
    gate = Middleware(Gate, way=way, access=store, hooks=write_trail(trail), limits=Limits(idle=idle))
    st.App(
        Path(__file__).with_name("page.py"),
        secrets=way.secrets() if isinstance(way, OidcWay) else None,
        routes=[film_route(store, load)],
        middleware=[gate],
    ).run(
        config={
            "server.address": "127.0.0.1",
            "server.port": port,
            "server.headless": True,
            "server.fileWatcherType": "none",
            "browser.gatherUsageStats": False,
            "global.developmentMode": False,
            "client.showErrorDetails": "type",
            "logger.level": "error",
        }
    )


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
