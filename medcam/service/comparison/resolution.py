"""The same network with maps of several resolutions (the paper takes layers away for a finer map, section 3)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from medcam.service.comparison.arms import Arm, arm_folder, measure_arm, trained
from medcam.service.comparison.figures import ArmFigures
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
        workers: Processes that render.
        threads: CPU threads that train; 0 leaves torch's own choice.
        report: Called after each run.
    """
    films = comparison_films(plan, out / "films", workers=workers)
    figures = {}
    for stride in STRIDES:
        arm = Arm(f"{stride} px", stride=stride)
        name = "head-gap" if stride == Arm("").stride else f"head-gap-stride-{stride}"
        figures[stride] = measure_arm(trained(arm, plan, threads), films, plan, arm_folder(out, name, plan), report)
    return figures
