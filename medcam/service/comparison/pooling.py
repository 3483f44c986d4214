"""The same network with each pooling head, trained alike from labels alone (Zhou et al. 2015, section 3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from medcam.service.comparison.arms import Arm, ArmRuns, Trained, arm_folder, make_runs, threads_each
from medcam.service.comparison.figures import ArmFigures
from medcam.service.comparison.films import ComparisonPlan, comparison_films

HEADS: Mapping[str, str] = {
    "GAP": "gap",
    "GMP": "gmp",
    "GMP on the class map": "map-gmp",
    "LSE": "lse",
    "PCAM": "pcam",
}
"""What tables call the heads, and their registry names."""


def compare_heads(
    plan: ComparisonPlan,
    out: Path,
    *,
    workers: int = 1,
    threads: int = 0,
    report: Callable[[str], None] = lambda _: None,
) -> dict[str, ArmFigures]:
    """Trains every head on the same films, backbone and schedule, for every seed of the plan.

    Args:
        plan: How much.
        out: Where films and finished runs are kept.
        workers: Processes that render, and that train, each with its share of the threads.
        threads: CPU threads that train; 0 leaves torch's own choice.
        report: Called after each run.

    Returns:
        Figures per head, in the order of `HEADS`.
    """
    films = comparison_films(plan, out / "films", workers=workers)
    each = threads_each(workers, threads)
    arms = {
        name: ArmRuns(Trained(Arm(name, head), plan, each), films, plan, arm_folder(out, f"head-{head}", plan))
        for name, head in HEADS.items()
    }
    make_runs(list(arms.values()), workers, report)
    return {name: arm.figures() for name, arm in arms.items()}
