"""The pipeline of `medcam annotate`: its stages, its throughput, and how its cost grows with the number of files."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from medcam.experiments.bench.figure import Figure
from medcam.experiments.bench.performance.plan import PerformancePlan
from medcam.experiments.bench.performance.values import Found, kept, reached, told, words
from medcam.experiments.bench.pipeline.meter import STAGES
from medcam.experiments.bench.pipeline.results import GROWTH_TARGET, JSON, OBJECTS
from medcam.experiments.bench.pipeline.run import pipeline_figures
from medcam.experiments.tables import table

_TARGETS = {
    "pipeline-over-engine/json": f"`annotate --write {JSON}` over the bare engine, films a second",
    "pipeline-over-bound/objects": f"`annotate --write {OBJECTS}` over the bound of its stages, films a second",
}


def run(plan: PerformancePlan) -> Found:
    """Measures the pipeline as `medcam bench pipeline` does."""
    settings = replace(plan.pipeline, report=plan.report)
    found = pipeline_figures(settings)
    return {
        "figures": kept(found.figures),
        "stages": {
            outputs: {stage: list(found.cost(outputs, stage)) for stage in STAGES} for outputs in (JSON, OBJECTS)
        },
        "engine": found.engine,
        "cores": found.cores,
        "model": settings.model,
        "side": settings.side,
        "films": settings.films,
        "round_films": settings.round_films,
        "rounds": settings.rounds,
        "counts": list(settings.counts),
    }


def figures(found: Found) -> list[Figure]:
    """As `medcam bench pipeline` tells them."""
    return told(found["figures"])


def targets(found: Found) -> list[tuple[str, str, str, str]]:
    """Rows: what, target, measured, reached."""
    known = {one["name"]: one for one in found["figures"]}
    rows = []
    for name, what in _TARGETS.items():
        one = known[name]
        rows.append((what, f">= {one['baseline']:g}", words(one), reached(one, one["baseline"], at_most=False)))
    for name, what in _GROWTHS.items():
        growth = known.get(name)  # records of before its time lack the second
        files = f"{found['films']:,}" if found["films"] else "many"
        over = f"{what} from 10 % to 100 % of a run of {files} files"
        target = f"<= {100 * GROWTH_TARGET:+.0f} %"
        rows.append((over, target, _share(growth), reached(growth, GROWTH_TARGET, at_most=True)))
    return rows


def section(found: Found) -> str:
    """Markdown below its heading."""
    known = {one["name"]: one for one in found["figures"]}
    about = f"""Phantoms of {found["side"]} x {found["side"]} pixels in a mix of codecs, the model `{found["model"]}` on
{found["engine"]}, {found["cores"]} cores; {found["rounds"]} rounds of stages, bare engine and runs of
{found["round_films"]} films in turns. The bare engine works on inputs that lie in memory. The bound is what the cores
could do if they were never idle and worked at nothing but the stages."""
    names = ("engine/films", "pipeline/json", "pipeline/objects")
    speeds = [[_SPEEDS[name], words(known[name], 1), str(known[name]["n"])] for name in names]
    return "\n\n".join(
        (
            about,
            table(("films a second", "median (95 % interval)", "rounds"), speeds),
            "Time of the processor of one film in each stage, its share, and the same by the clock, film after film:",
            *(_stages(outputs, stages) for outputs, stages in found["stages"].items()),
            *_long_run(found, known),
        )
    )


def _long_run(found: Found, known: dict[str, Any]) -> tuple[str, ...]:
    if not found["films"]:
        return ("How memory and the time per file grow was not measured: `--quick` has no long run.",)
    return (
        f"""One run of {found["films"]:,} files, each made by another process before the run comes to it. Time per
file from the run's beginning, with the start of the processes that read, and since the row above; memory of the run and
of the processes that read for it:""",
        table(("files", "ms per file", "since the row above", "MiB"), _as_it_goes(found["counts"], known)),
    )


_GROWTHS = {"rss-growth": "memory", "time-growth": "time per file"}
_SPEEDS = {
    "engine/films": "bare engine",
    "pipeline/json": f"`annotate --write {JSON}`",
    "pipeline/objects": f"`annotate --write {OBJECTS}`",
}


def _stages(outputs: str, stages: dict[str, Any]) -> str:
    total = sum(processor for processor, _ in stages.values())
    rows = [
        [stage, f"{processor:.0f}", f"{100 * processor / total:.0f} %", f"{wall:.0f}"]
        for stage, (processor, wall) in stages.items()
    ]
    return table((f"stage, `{outputs}`", "processor ms", "share", "ms by the clock"), rows)


def _as_it_goes(counts: list[int], known: dict[str, Any]) -> list[list[str]]:
    """Rows: files, time per file, time per file since the row above, memory."""
    totals = [count * float(known[f"time-per-file/{count}"]["value"]) for count in counts]
    rows = []
    for count, total, before, done in zip(counts, totals, (0, *counts), (0.0, *totals), strict=False):
        since = (total - done) / (count - before)
        rows.append(
            [f"{count:,}", f"{1e3 * total / count:.0f}", f"{1e3 * since:.0f}", _mib(known[f"rss/{count}"]["value"])]
        )
    return rows


def _share(one: Found | None) -> str:
    if one is None or not math.isfinite(one["value"]):
        return "-"
    told = f"{100 * one['value']:+.1f} %"
    return f"{told} ({100 * one['low']:+.1f} to {100 * one['high']:+.1f})" if one["n"] > 1 else told


def _mib(value: float) -> str:
    return f"{value:.0f}" if math.isfinite(value) else "-"
