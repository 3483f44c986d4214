"""The asking side of one template process: starts it, has a file read, ends it."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medcam.dicom.sandbox.limits import Limits
from medcam.dicom.sandbox.protocol import Deadline, ProtocolError, receive_into
from medcam.dicom.sandbox.template import KILL, READ, READY, STATUS

_START_SECONDS = 60.0
_END_SECONDS = 10.0
_PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR")
"""Environment variables that a reader may know. Passwords and tokens of servers are in others."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a reader ended.

    Args:
        signal: Number of the signal that ended it, 0 for none.
        exit_status: What it exited with where no signal ended it.
    """

    signal: int
    exit_status: int


class TemplateProcess:
    """A running template process.

    Args:
        limits: Budget of each file.

    Raises:
        ProtocolError: It does not start.
        TimeoutError: It does not start in time.
        OSError: The machine has no room for it.
    """

    def __init__(self, limits: Limits) -> None:
        self._control, theirs = socket.socketpair()
        try:
            with theirs:
                self._process = _start(theirs.fileno(), limits)
        except BaseException:
            self._control.close()
            raise
        try:
            self._receive(len(READY), Deadline(_START_SECONDS))
        except BaseException:
            self.end()
            raise

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def begin(self) -> socket.socket:
        """Has it make a reader; the connection to it is the caller's to close.

        Raises:
            ProtocolError: The template process has gone.
        """
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                socket.send_fds(self._control, [READ], [theirs.fileno()])
        except OSError as error:
            ours.close()
            raise ProtocolError("the template process has gone") from error
        return ours

    def finish(self, seconds: float) -> Ended | None:
        """Waits for the reader's end.

        Args:
            seconds: How long to wait before it is killed.

        Returns:
            How it ended; None where it had to be killed.

        Raises:
            ProtocolError: The template process has gone, or does not answer any more; end it.
        """
        try:
            return self._ended(Deadline(seconds))
        except TimeoutError:
            pass
        try:
            self._control.sendall(KILL)
            self._ended(Deadline(_END_SECONDS))
        except (TimeoutError, OSError) as error:
            raise ProtocolError("the template process does not answer") from error
        return None

    def end(self) -> None:
        """Ends the process and its reader, and frees what belongs to them. May be called again."""
        self._control.close()
        if self._process.poll() is None:
            # It leads a group of its own, and its number cannot be another's before it has been waited for.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_END_SECONDS)

    def _ended(self, deadline: Deadline) -> Ended:
        (status,) = STATUS.unpack(self._receive(STATUS.size, deadline))
        if os.WIFSIGNALED(status):
            return Ended(os.WTERMSIG(status), 0)
        return Ended(0, os.WEXITSTATUS(status))

    def _receive(self, length: int, deadline: Deadline) -> bytes:
        buffer = bytearray(length)
        receive_into(self._control, memoryview(buffer), deadline)
        return bytes(buffer)


def _start(control: int, limits: Limits) -> subprocess.Popen[bytes]:
    arguments = (control, os.getpid(), limits.memory, limits.cpu_seconds)
    return subprocess.Popen(  # noqa: S603 - our own interpreter and module
        # -P: a file named like a module in the working folder, which may be a folder of downloads, is not imported.
        [sys.executable, "-P", "-B", "-m", "medcam.dicom.sandbox.template", *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=(control,),
        env=_environment(),
        cwd="/",
        start_new_session=True,  # the terminal's Ctrl-C does not reach it
    )


def _environment() -> dict[str, str]:
    package = str(Path(__file__).resolve().parents[3])
    folders = [package, *(folder for folder in sys.path if Path(folder).is_absolute())]
    passed: dict[str, Any] = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    # One thread: more of them would make forking unsafe, and each takes address space.
    threads = {f"{library}_NUM_THREADS": "1" for library in ("OPENBLAS", "OMP", "MKL")}
    # Memory in large pages: a reader's is all new, and half of what a film costs it would be to fault in small ones.
    pages = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
    return passed | threads | pages | {"PYTHONPATH": os.pathsep.join(dict.fromkeys(folders))}
