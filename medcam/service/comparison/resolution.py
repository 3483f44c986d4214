"""The same network with maps of several resolutions (the paper takes layers away for a finer map, section 3)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from medcam.service.comparison.arms import Arm, ArmRuns, Trained, arm_folder, make_runs, threads_each
from medcam.service.comparison.figures import ArmFigures, arm_figures
from medcam.service.comparison.films import ComparisonPlan, comparison_films

STRIDES = (16, 8, 4)
"""Pixels per cell of the map: coarse to fine."""


def compare_strides(
    plan: ComparisonPlan,
    out: Path,
    *,
    workers: int = 1,
    threads: int = 0,
    report: Callable[[str], None] = lambda _: None,
) -> dict[int, ArmFigures]:
    """Trains the network with a GAP head at every stride, from labels alone, for every seed of the plan.

    The layers are the same; a finer map takes fewer steps of two between them.

    Args:
        plan: How much.
        out: Where films and finished runs are kept; the runs at stride 8 are those of `compare_heads`.
        workers: Processes that render, and that train, each with its share of the threads.
        threads: CPU threads that train; 0 leaves torch's own choice.
        report: Called after each run.
    """
    films = comparison_films(plan, out / "films", workers=workers)
    each = threads_each(workers, threads)
    arms = {
        stride: ArmRuns(
            Trained(Arm(f"{stride} px", stride=stride), plan, each), films, plan, _folder(out, stride, plan)
        )
        for stride in STRIDES
    }
    make_runs(list(arms.values()), workers, report)
    return {stride: arm_figures(arm.measured(), films.test) for stride, arm in arms.items()}


def _folder(out: Path, stride: int, plan: ComparisonPlan) -> Path:
    name = "head-gap" if stride == Arm("").stride else f"head-gap-stride-{stride}"
    return arm_folder(out, name, plan)
