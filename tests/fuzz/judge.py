"""Reads many files as `annotate` does and counts how it ends; what must not happen is an offence."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np
import psutil

from medcam.core.errors import MedcamError
from medcam.core.radiograph import Radiograph
from medcam.dicom.sandbox.limits import Limits
from medcam.dicom.sandbox.pool import ReaderPool

LIMITS = Limits(memory=1 << 30, cpu_seconds=5, wall_seconds=40)
TABLE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "errors.md"
_NOT_ALLOWED = frozenset(("internal-error", "no-readers"))
_HARD = frozenset(("reader-died", "reading-timed-out", "reading-memory"))
_TOLERATED_GROWTH = 400 << 20


@dataclass
class Report:
    """How a run ended.

    Args:
        outcomes: How many files ended how: an error's code, or "radiograph".
        offences: What must not happen, with the case that it happened in.
        hard: Cases whose reader died, ran out of time or of memory.
        slowest: Seconds that the slowest case took.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    offences: list[str] = field(default_factory=list)
    hard: list[str] = field(default_factory=list)
    slowest: float = 0.0

    @property
    def count(self) -> int:
        return sum(self.outcomes.values())


def judge(cases: Iterable[tuple[str, bytes]], keep: Path | None = None, threads: int = 2) -> Report:
    """Reads cases through a pool and looks for leaks afterwards.

    Args:
        cases: Names and bytes.
        keep: Folder where offending and hard cases are kept; None to keep none.
        threads: Readers at once.
    """
    process = psutil.Process()
    others = {child.pid for child in process.children(recursive=True)}
    with ReaderPool(threads, LIMITS) as pool, ThreadPoolExecutor(threads) as workers:
        before = (process.num_fds(), process.memory_info().rss)
        judged = _Judge(pool, keep)
        iterator = iter(cases)
        while batch := list(islice(iterator, 64)):
            list(workers.map(judged.take, batch))
        report = judged.report
        # Each template process has one descriptor here; the second one starts with the first case that needs it.
        if process.num_fds() > before[0] + threads:
            report.offences.append(f"descriptors: {before[0]} before, {process.num_fds()} after")
        if process.memory_info().rss > before[1] + _TOLERATED_GROWTH:
            report.offences.append(f"memory grew by {process.memory_info().rss - before[1]} bytes")
    left = [child for child in process.children(recursive=True) if child.pid not in others and child.is_running()]
    if left:
        report.offences.append(f"{len(left)} processes are left")
    return report


class _Judge:
    """Reads one case at a time, from several threads."""

    def __init__(self, pool: ReaderPool, keep: Path | None) -> None:
        self.report = Report()
        self._pool, self._keep, self._lock = pool, keep, threading.Lock()
        self._known = set(re.findall(r"(?m)^\| `([a-z0-9-]+)`", TABLE.read_text(encoding="utf-8")))

    def take(self, case: tuple[str, bytes]) -> None:
        name, data = case
        started = time.perf_counter()
        outcome, offence = _outcome(self._pool, data, self._known)
        with self._lock:
            self.report.outcomes[outcome] += 1
            self.report.slowest = max(self.report.slowest, time.perf_counter() - started)
            if offence:
                self.report.offences.append(f"{name}: {offence}")
            if outcome in _HARD:
                self.report.hard.append(f"{name}: {outcome}")
            if self._keep is not None and (offence or outcome in ("reader-died", "reading-timed-out")):
                (self._keep / re.sub("[^A-Za-z0-9.+-]", "_", name)[:150]).write_bytes(data)


def _outcome(pool: ReaderPool, data: bytes, known: set[str]) -> tuple[str, str]:
    """A code or "radiograph", and what is wrong with that."""
    try:
        context = pool.open(data, "case.dcm")
        radiograph = pool.radiograph(data, "case.dcm")
    except MedcamError as error:
        if error.code not in known:
            return error.code, f"code {error.code} is not in the table"
        return error.code, error.message if error.code in _NOT_ALLOWED else ""
    except BaseException as error:  # noqa: BLE001 - this is what is looked for
        return "crash", f"{type(error).__name__}: {error}"
    return "radiograph", "" if _is_valid(radiograph) and context.sha256 == radiograph.sha256 else "not valid"


def _is_valid(radiograph: Radiograph) -> bool:
    with np.errstate(over="ignore", invalid="ignore"):
        shown = radiograph.display()
    return bool(np.isfinite(radiograph.pixels).all()) and shown.shape == radiograph.pixels.shape
