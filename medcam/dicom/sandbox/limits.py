"""What a process that reads one untrusted file may use, and how the kernel is told."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from medcam.core.errors import UsageError

_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_OPEN_FILES = 16
"""Three standard ones, the connection, and some to spare for modules and character sets that load late."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Budget of one file.

    Args:
        memory: Bytes of address space beyond what the process has before it sees the file. Reading takes about 28 bytes
            per pixel of 16 bits and the file itself, so the default is enough for some 70 million pixels.
        cpu_seconds: Seconds of processor time; the kernel ends the process when they are spent.
        wall_seconds: Seconds on the clock, watched by the process that asked. Longer than `cpu_seconds`, since a busy
            machine makes an honest reader wait.
    """

    memory: int = 2 << 30
    cpu_seconds: int = 30
    wall_seconds: float = 120.0

    def __post_init__(self) -> None:
        if self.memory < 1 or self.cpu_seconds < 1 or not self.wall_seconds > 0:
            raise UsageError("limits of reading must be positive")


def apply_limits(limits: Limits, parent: int) -> None:
    """Binds this process, before it reads its file.

    Args:
        limits: The budget.
        parent: Process id of the parent; the process ends if that one is gone already.

    Raises:
        OSError: The kernel refuses a limit.
    """
    _die_with_parent(parent)
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_FSIZE, 0)  # no file grows by a byte; sockets are none
    _lower(resource.RLIMIT_NOFILE, _OPEN_FILES)
    _lower(resource.RLIMIT_NPROC, 0)  # neither processes nor threads; root is exempt
    _lower(resource.RLIMIT_CPU, limits.cpu_seconds)
    if sys.platform.startswith("linux"):  # elsewhere the kernel does not keep to it
        _lower(resource.RLIMIT_AS, _address_space() + limits.memory)


def _lower(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(kind, (value, value))


def _address_space() -> int:
    """Bytes of this process's address space."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()


def _die_with_parent(parent: int) -> None:
    """Asks Linux to end this process with its parent, and never to give it more rights by running a program."""
    if not sys.platform.startswith("linux"):
        return
    libc = ctypes.CDLL(None, use_errno=True)
    for option, value in ((_PR_SET_PDEATHSIG, signal.SIGKILL), (_PR_SET_NO_NEW_PRIVS, 1)):
        if libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl")
    if os.getppid() != parent:
        os._exit(0)
