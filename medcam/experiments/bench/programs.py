"""Runs programs to their end and tells what they took."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from medcam.core.errors import MedcamError

_LINES = 3


class ProgramError(MedcamError):
    """A program that is measured ended with an error."""

    default_code = "bench-program"
    default_next_step = "Run the program by itself and see why."


@dataclass(frozen=True, slots=True)
class Spent:
    """What a program took.

    Args:
        wall: Seconds by the clock, from its start to its end.
        processor: Seconds of the processor, those of its children that ended before it included.
        memory: Peak resident memory in MiB of its largest process.
    """

    wall: float
    processor: float
    memory: float


def run_program(words: Sequence[str], log: Path, environment: Mapping[str, str] | None = None) -> Spent:
    """Runs a program; what it prints goes to a file.

    Args:
        words: Behind the interpreter, such as ("-m", "medcam", "doctor").
        log: For both of its outputs.
        environment: Variables beside those of this process.

    Raises:
        ProgramError: It ended with an error, quoted by its last lines.
    """
    with log.open("wb") as out:
        began = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603  our own interpreter
            [sys.executable, *words],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
        )
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            process.wait()
            raise
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        raise ProgramError(f"it ended with {process.returncode}: {' / '.join(lines[-_LINES:])[-300:]}")
    scale = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return Spent(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / scale)
