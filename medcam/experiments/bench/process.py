"""What a process takes, memory and time of the processor, and what is left. Linux tells; elsewhere all are None."""

from __future__ import annotations

import os
from pathlib import Path

_KIB_PER_MIB = 1024.0
_USER_TIME = 11
"""Place of the user's time in /proc/PID/stat after the name, which may hold blanks; the system's is next (proc(5))."""


def resident_mib(process: int) -> float | None:
    """Resident memory of a process in MiB; None where it is not known.

    Args:
        process: Its number.
    """
    return _mib(_read(f"{process}/status"), "VmRSS")


def peak_mib(process: int) -> float | None:
    """The most resident memory in MiB that a process has had; None where it is not known (proc(5), VmHWM).

    Args:
        process: Its number.
    """
    return _mib(_read(f"{process}/status"), "VmHWM")


def available_mib() -> float | None:
    """Memory in MiB that processes could still take; None where it is not known (proc(5), MemAvailable)."""
    return _mib(_read("meminfo"), "MemAvailable")


def load_average() -> float:
    """Processes that wanted a core, over the last minute; nan where the system does not tell."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else float("nan")


def family_mib(process: int) -> float | None:
    """Resident memory in MiB of a process and of all that it started, each in full; None where it is not known.

    Args:
        process: Its number.
    """
    if resident_mib(process) is None:
        return None
    parents = _parents()
    family = {process}
    while grown := {child for child, parent in parents.items() if parent in family} - family:
        family |= grown
    return sum(resident_mib(each) or 0.0 for each in family)


def processor_seconds(process: int) -> float | None:
    """Time that a process has had of the processor in seconds, all its threads together; None where it is not known.

    Args:
        process: Its number.
    """
    fields = (_read(f"{process}/stat") or "").rpartition(") ")[2].split()
    if len(fields) < _USER_TIME + 2:
        return None
    return sum(map(int, fields[_USER_TIME : _USER_TIME + 2])) / os.sysconf("SC_CLK_TCK")


def family_seconds(process: int) -> float | None:
    """As `processor_seconds`, with the time of its children that it has waited for; None where it is not known.

    Args:
        process: Its number.
    """
    fields = (_read(f"{process}/stat") or "").rpartition(") ")[2].split()
    if len(fields) < _USER_TIME + 4:
        return None
    return sum(map(int, fields[_USER_TIME : _USER_TIME + 4])) / os.sysconf("SC_CLK_TCK")


def _parents() -> dict[int, int]:
    """Whose child every process is."""
    numbers = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]
    fields = {number: (_read(f"{number}/stat") or "").rpartition(") ")[2].split() for number in numbers}
    return {number: int(stat[1]) for number, stat in fields.items() if len(stat) > 1}


def _mib(text: str | None, name: str) -> float | None:
    lines = (line.split() for line in (text or "").splitlines() if line.startswith(f"{name}:"))
    return next((int(fields[1]) / _KIB_PER_MIB for fields in lines), None)


def _read(name: str) -> str | None:
    try:
        return (Path("/proc") / name).read_text(encoding="utf-8")
    except OSError:
        return None
