"""The machine that figures come from, without a name or a path of it."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

_LISTING = Path("/proc/cpuinfo")
_INSTRUCTIONS = {"AVX2": {"avx2"}, "AVX-512": {"avx512f"}, "bf16": {"avx512_bf16", "amx_bf16"}}
_PACKAGES = ("torch", "monai", "scikit-learn", "numpy")


def machine(packages: Sequence[str] = _PACKAGES) -> dict[str, str]:
    """Processor, cores, system and versions, as plain values.

    Args:
        packages: Distributions whose versions matter.
    """
    return {
        "processor": _processor(),
        "cores": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1),
        "system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "packages": ", ".join(f"{name} {version(name)}" for name in packages),
    }


def _processor() -> str:
    try:
        listing = _LISTING.read_text(encoding="utf-8")
    except OSError:
        listing = ""
    return processor_in(listing) or platform.processor() or platform.machine()


def processor_in(listing: str) -> str:
    """The processor's name, and which of the instructions it has that networks are quick by.

    Args:
        listing: As in /proc/cpuinfo.

    Returns:
        Empty where the listing names none.
    """
    fields = dict(reversed([_field(line) for line in listing.splitlines()]))
    name = fields.get("model name", "")
    flags = set(fields.get("flags", "").split())
    has = [what for what, names in _INSTRUCTIONS.items() if names & flags]
    return f"{name} ({', '.join(has)})" if name and has else name


def _field(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip(), value.strip()
