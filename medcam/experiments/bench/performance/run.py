"""Runs the parts of the benchmark; one that fails is told and does not end the others."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from medcam.experiments.bench.figure import Figure
from medcam.experiments.bench.performance.parts import PARTS, Part, measured_parts, record_key
from medcam.experiments.bench.performance.plan import PerformancePlan
from medcam.experiments.bench.performance.record import PartRecord, Records
from medcam.experiments.bench.process import load_average
from medcam.experiments.bench.timing import told
from medcam.experiments.machine import machine
from medcam.experiments.record import plain
from medcam.service.explanations.software import __version__

_LOOK_AGAIN = 15.0
"""Seconds."""
_PACKAGES = ("torch", "monai", "openvino", "numpy", "pydicom")


def run_parts(plan: PerformancePlan, parts: Sequence[Part]) -> dict[str, PartRecord]:
    """Measures parts one after the other.

    Args:
        plan: How much.
        parts: Which.
    """
    return {record_key(part): _run(plan, part) for part in parts}


def _run(plan: PerformancePlan, part: Part) -> PartRecord:
    load = _settled(plan) if plan.load is None else plan.load
    began = time.monotonic()
    found, error = {}, ""
    try:
        found = plain(part.run(plan))
    except Exception as reason:  # noqa: BLE001  an hour's figures are not lost for those of one part
        error = told(reason)
        plan.report(f"{part.name} failed: {error}")
    return PartRecord(
        found=found,
        error=error,
        seconds=round(time.monotonic() - began, 1),
        load=load,
        load_after=load_average(),
        made=datetime.now(UTC).strftime("%Y-%m-%d"),
        quick=plan.quick,
        machine=machine(_PACKAGES),
        version=__version__,
    )


def figures_of(records: Records, parts: Sequence[Part] = PARTS) -> tuple[Figure, ...]:
    """All figures of the parts that were measured; one without a value stands for a part that failed."""
    made: list[Figure] = []
    for part, _, one in measured_parts(records, parts):
        if one.error:
            made.append(Figure(part.name, float("nan"), "", 0, note=one.error))
        else:
            made += part.figures(one.found)
    return tuple(made)


def _settled(plan: PerformancePlan) -> float:
    """The load average as a part begins, after a while of rest: what ended just now is in it still."""
    until, load = time.monotonic() + plan.patience, load_average()
    while busy(load, os.cpu_count() or 1) and time.monotonic() < until:
        plan.report(f"waiting for a quiet machine, load {load:.1f}")
        time.sleep(min(_LOOK_AGAIN, max(0.0, until - time.monotonic())))
        load = load_average()
    return load


def busy(load: float, cores: int) -> bool:
    """Whether others keep a machine too busy for its times to be judged by."""
    return load > cores / 2
