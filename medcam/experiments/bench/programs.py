"""Runs programs to their end and tells what they took."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from medcam.core.errors import MedcamError
from medcam.experiments.bench import launcher

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
    with subprocess.Popen(  # noqa: S603  our own interpreter
        [sys.executable, "-I", "-S", launcher.__file__, str(log), sys.executable, *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        env={**os.environ, **(environment or {})},
        start_new_session=True,
    ) as process:
        try:
            told, _ = process.communicate()
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)  # the program too, which would go on by itself
            raise
    if process.returncode:
        raise ProgramError(f"its launcher ended with {process.returncode}")
    found = json.loads(told)
    if found["status"]:
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        raise ProgramError(f"it ended with {found['status']}: {' / '.join(lines[-_LINES:])[-300:]}")
    scale = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return Spent(found["wall"], found["processor"], found["memory"] / scale)
