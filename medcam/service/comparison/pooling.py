"""The same network with each pooling head, trained alike from labels alone (Zhou et al. 2015, section 3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from medcam.service.comparison.arms import Arm, ArmRuns, Trained, arm_folder, make_runs, threads_each
from medcam.service.comparison.differences import ArmDifferences, differences
from medcam.service.comparison.figures import ArmFigures, arm_figures
from medcam.service.comparison.films import ComparisonPlan, comparison_films

HEADS: Mapping[str, str] = {
    "GAP": "gap",
    "GMP": "gmp",
    "GMP on the class map": "map-gmp",
    "LSE": "lse",
    "PCAM": "pcam",
}
"""What tables call the heads, and their registry names."""


@dataclass(frozen=True, slots=True)
class HeadsFigures:
    """What the heads are worth.

    Args:
        arms: Per head, in the order of `HEADS`.
        gap_less: GAP less each of the others, paired.
    """

    arms: Mapping[str, ArmFigures]
    gap_less: Mapping[str, ArmDifferences]


def compare_heads(
    plan: ComparisonPlan,
    out: Path,
    *,
    workers: int = 1,
    threads: int = 0,
    report: Callable[[str], None] = lambda _: None,
) -> HeadsFigures:
    """Trains every head on the same films, backbone and schedule, for every seed of the plan.

    Args:
        plan: How much.
        out: Where films and finished runs are kept.
        workers: Processes that render, and that train, each with its share of the threads.
        threads: CPU threads that train; 0 leaves torch's own choice.
        report: Called after each run.
    """
    films = comparison_films(plan, out / "films", workers=workers)
    each = threads_each(workers, threads)
    arms = {
        name: ArmRuns(Trained(Arm(name, head), plan, each), films, plan, arm_folder(out, f"head-{head}", plan))
        for name, head in HEADS.items()
    }
    make_runs(list(arms.values()), workers, report)
    measured = {name: arm.measured() for name, arm in arms.items()}
    return HeadsFigures(
        arms={name: arm_figures(each, films.test) for name, each in measured.items()},
        gap_less={
            name: differences(measured["GAP"], each, films.test) for name, each in measured.items() if name != "GAP"
        },
    )
