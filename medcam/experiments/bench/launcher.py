"""Starts a program and tells what it took; a script by itself, run by its path.

python launcher.py LOG PROGRAM [WORD ...]

Prints one JSON object: seconds by the clock, seconds of the processor, peak resident memory as getrusage(2) counts it,
and the status that it ended with. Linux lets a new process begin with the peak of the one that started it (execve in
fs/exec.c), so that a large one would measure itself; this one is small, and imports the standard library alone.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time


def main(log: str, words: list[str]) -> None:
    """Runs the program to its end.

    Args:
        log: File for both of its outputs.
        words: The program and what it is given.
    """
    with open(log, "wb") as out:  # noqa: PTH123  pathlib would make this process larger
        began = time.perf_counter()
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)  # noqa: S603  what it is for
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
    told = {
        "wall": wall,
        "processor": usage.ru_utime + usage.ru_stime,
        "memory": usage.ru_maxrss,
        "status": os.waitstatus_to_exitcode(status),
    }
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
