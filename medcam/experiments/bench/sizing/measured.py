"""The measurement that sizes are computed from: the part "pipeline" of the benchmark, measured now or before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from medcam.core.errors import UsageError
from medcam.experiments.bench.performance.parts import PARTS
from medcam.experiments.bench.performance.plan import PerformancePlan, quick_plan
from medcam.experiments.bench.performance.record import PartRecord, read_records
from medcam.experiments.bench.performance.run import run_parts
from medcam.experiments.bench.pipeline.plan import FEWEST

PART = "pipeline"


def pipeline_part(record: Path | None, *, quick: bool, report: Callable[[str], None]) -> PartRecord:
    """The part, from a record or measured now.

    Args:
        record: A record of `medcam bench`; None to measure.
        quick: Whether by the plan of `--quick`.
        report: Told what is being done.

    Raises:
        UsageError: The record has no pipeline (code `sizing`), or is none (`bench-record`).
    """
    if record is not None:
        kept = read_records(record)
    else:
        plan = quick_plan(report) if quick else replace(PerformancePlan(), report=report)
        # Sizes come from the rounds; the long run tells them nothing.
        plan = replace(plan, pipeline=replace(plan.pipeline, films=max(FEWEST, plan.pipeline.round_films)))
        kept = run_parts(plan, [part for part in PARTS if part.name == PART])
    part = kept.get(PART)
    if part is None or part.error:
        raise UsageError(
            f"the pipeline was not measured{f': {part.error}' if part else ''}",
            code="sizing",
            next_step="Measure it: leave --from out, or name a record of `medcam bench` that has the pipeline.",
        )
    return part
