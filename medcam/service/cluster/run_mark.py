"""A file in the store's folder of films by which processes elsewhere know that they see the same folder."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from medcam.service.output_errors import writing

_BEGINNING = ".run-"
_OLD_SECONDS = 7 * 86400.0
"""No run lasts so long: what is older and held by nobody may go, whichever machine left it."""
_BOOT = Path("/proc/sys/kernel/random/boot_id")


def this_machine() -> str:
    """What this machine is called, and which of its starts this is."""
    return " ".join((socket.gethostname(), _BOOT.read_text(encoding="ascii").strip() if _BOOT.exists() else ""))


@contextmanager
def run_mark(folder: Path) -> Iterator[str]:
    """Lays a mark into a folder as long as the block runs, and takes away what runs left there that were killed.

    Args:
        folder: Made where it is missing.

    Yields:
        The mark's name.

    Raises:
        OutputError: The folder cannot be written.
    """
    mark = folder / f"{_BEGINNING}{secrets.token_hex(8)}"
    with writing():
        folder.mkdir(parents=True, exist_ok=True)
        file = mark.open("xb", buffering=0)
    try:
        with file:
            with contextlib.suppress(OSError):  # some file systems have no locks: what lies there then stays
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with writing():
                # Held before it says whose it is: one that is not held yet is nobody's, and stays.
                file.write(this_machine().encode())
            for other in folder.glob(f"{_BEGINNING}*"):
                if other != mark:
                    _take_away(other)
            yield mark.name
    finally:
        mark.unlink(missing_ok=True)


def _take_away(mark: Path) -> None:
    """Takes a mark away where its run is gone."""
    # Gone meanwhile, or held by a run.
    with contextlib.suppress(OSError), mark.open("r+b") as file:
        # Of another machine it is not known whether its locks are seen from here.
        old = time.time() - os.fstat(file.fileno()).st_mtime > _OLD_SECONDS
        if old or file.read() == this_machine().encode():
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            mark.unlink()
