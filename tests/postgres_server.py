"""A PostgreSQL server in a folder of its own, reached by a socket in that folder alone."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
import tempfile
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Self

PATIENCE = 60


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
    """A server for tests. It does not run as root, so root runs it as the user postgres.

    Args:
        programs: Folder of its programs.
    """

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._names = count(1)
        self._as = ("runuser", "-u", "postgres", "--") if os.geteuid() == 0 else ()

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="medcam-pg-"))
        if self._as:
            user = pwd.getpwnam("postgres")
            os.chown(self._folder, user.pw_uid, user.pw_gid)
        self._run("initdb", "-D", str(self._data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
        options = f"-c listen_addresses='' -c unix_socket_directories='{self._folder}' -c max_connections=60"
        log = str(self._folder / "log")
        self._run("pg_ctl", "-D", str(self._data), "-w", "-t", str(PATIENCE), "-l", log, "-o", options, "start")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._run("pg_ctl", "-D", str(self._data), "-w", "-m", "immediate", "stop")
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def new_url(self) -> str:
        """The address of a database that is empty."""
        name = f"medcam_{next(self._names)}"
        self._run("createdb", "-h", str(self._folder), "-U", "postgres", name)
        return f"postgresql+psycopg://postgres@/{name}?host={self._folder}"

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [*self._as, str(self._programs / program), *arguments],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=2 * PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode(errors="replace")
