"""The figures of a load test, from what was met."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from medcam.experiments.bench.dashboard.load import LoadRecord
from medcam.experiments.bench.dashboard.queries import Answered
from medcam.experiments.bench.figure import Figure
from medcam.experiments.bench.statistics import Estimate, quantile, slope

RERUN_MS, QUERY_MS = 150.0, 50.0
"""Targets: of the 95th percentile of a rerun with thinking readers, and of a question to the worklist."""
WARM = 0.2
"""Share of the reruns, at the start, in which the server fills its caches: left out of the memory's slope."""
_MS = 1000.0
_ERRORS_TOLD, _ERROR_LETTERS = 3, 160
_PER = 1000


def waiting_figures(name: str, record: LoadRecord, target: float | None = None) -> list[Figure]:
    """How long readers waited for reruns.

    Args:
        name: How the figures' names begin.
        record: What a crowd met.
        target: For the 95th percentile, in ms.
    """
    groups = [[_MS * seconds for _, seconds, _ in runs] for runs in record.runs]
    figures = [
        _figure(f"{name}/p{percent}", "ms", quantile(groups, percent / 100), target if percent == 95 else None)
        for percent in (50, 95, 99)
    ]
    rate = record.reruns / record.seconds if record.seconds else math.nan
    figures.append(Figure(f"{name}/rate", rate, "reruns/s", record.reruns))
    errors = float(len(record.errors))
    figures.append(Figure(f"{name}/errors", errors, "errors", record.reruns, note=_commonest(record.errors)))
    if record.processor is not None and record.reruns:
        figures.append(Figure(f"{name}/processor", _MS * record.processor / record.reruns, "ms/rerun", record.reruns))
    if record.fetches:
        fetched = quantile([[_MS * seconds] for seconds, _ in record.fetches], 0.95)
        figures.append(_figure(f"{name}/film-p95", "ms", fetched))
    return figures


def _commonest(errors: Sequence[str]) -> str:
    counted = Counter(error[:_ERROR_LETTERS] for error in errors).most_common(_ERRORS_TOLD)
    return "; ".join(f"{count} x {error}" for error, count in counted)


def memory_figures(name: str, record: LoadRecord) -> list[Figure]:
    """What the server held, and how that changed with the reruns."""
    if not record.memory:
        none = "this system does not tell how much memory a process holds"
        return [Figure(f"{name}/slope", math.nan, "MiB/1000 reruns", 0, note=none)]
    warm = [(done, held) for done, held in record.memory if done >= WARM * record.reruns]
    drift = slope([done / _PER for done, _ in warm], [held for _, held in warm])
    return [
        _figure(f"{name}/slope", "MiB/1000 reruns", drift),
        Figure(f"{name}/warm", warm[0][1] if warm else math.nan, "MiB", 1 if warm else 0),
        Figure(f"{name}/end", record.memory[-1][1], "MiB", 1),
        Figure(f"{name}/most", max(held for _, held in record.memory), "MiB", len(record.memory)),
    ]


def query_figures(name: str, answered: Sequence[Answered]) -> list[Figure]:
    """How long questions to the worklist took."""
    figures = []
    for one in answered:
        times = [[_MS * seconds] for seconds in one.seconds]
        figures.append(_figure(f"{name}/{one.name}/p50", "ms", quantile(times, 0.50)))
        figures.append(_figure(f"{name}/{one.name}/p95", "ms", quantile(times, 0.95), QUERY_MS))
    return figures


def _figure(name: str, unit: str, estimate: Estimate, target: float | None = None) -> Figure:
    return Figure(name, estimate.value, unit, estimate.n, target, estimate.low, estimate.high)
