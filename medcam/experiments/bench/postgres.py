"""A PostgreSQL server in a folder of its own, reached by a socket in that folder alone."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Self

from medcam.core.errors import MedcamError

PATIENCE = 60
"""Seconds within which it starts or ends."""
_USER = "postgres"


class PostgresError(MedcamError):
    """The private PostgreSQL server cannot be used."""

    default_code = "bench-postgres"
    default_next_step = "Check that PostgreSQL's own programs run, or name a database of your own with --store URL."


def find_programs() -> Path | None:
    """Folder of PostgreSQL's programs: on the path, or where Debian keeps the newest version."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    folders = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(re.sub(r"\D", "", folder.parent.name) or 0)
    )
    return folders[-1] if folders else None


class PostgresServer:
    """A server for tests and benchmarks. It does not run as root, so root runs it as the user postgres.

    Args:
        programs: Folder of its programs.

    Raises:
        PostgresError: One of its programs fails.
    """

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._names = count(1)
        root = hasattr(os, "geteuid") and os.geteuid() == 0
        self._as = ("runuser", "-u", _USER, "--") if root else ()

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="medcam-pg-"))
        try:
            if self._as:
                shutil.chown(self._folder, _USER, _USER)
            self._run("initdb", "-D", str(self._data), "-U", _USER, "-A", "trust", "-E", "UTF8", "--no-sync")
            options = f"-c listen_addresses='' -c unix_socket_directories='{self._folder}' -c max_connections=60"
            log = str(self._folder / "log")
            self._run("pg_ctl", "-D", str(self._data), "-w", "-t", str(PATIENCE), "-l", log, "-o", options, "start")
        except BaseException:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._run("pg_ctl", "-D", str(self._data), "-w", "-m", "immediate", "stop")
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def new_url(self) -> str:
        """The address of a database that is empty."""
        name = f"medcam_{next(self._names)}"
        self._run("createdb", "-h", str(self._folder), "-U", _USER, name)
        return f"postgresql+psycopg://{_USER}@/{name}?host={self._folder}"

    @property
    def version(self) -> str:
        """Such as "PostgreSQL 15.10"."""
        said = self._run("postgres", "--version")
        return f"PostgreSQL {said.split()[2]}" if len(said.split()) > 2 else "PostgreSQL"

    def _run(self, program: str, *arguments: str) -> str:
        try:
            done = subprocess.run(  # noqa: S603  programs of PostgreSQL, with our own arguments
                [*self._as, str(self._programs / program), *arguments],
                cwd="/",
                stdin=subprocess.DEVNULL,
                # No pipe where a server is started: it would hold the pipe, and we would wait for its end.
                stdout=subprocess.PIPE if program == "postgres" else subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                timeout=2 * PATIENCE,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise PostgresError(f"PostgreSQL's {program} does not run ({type(error).__name__})") from error
        if done.returncode:
            said = (done.stderr or b"").decode(errors="replace").strip()
            raise PostgresError(f"PostgreSQL's {program} failed ({said or done.returncode})")
        return (done.stdout or b"").decode(errors="replace")
