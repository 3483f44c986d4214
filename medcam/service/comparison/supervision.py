"""Labels alone against masks: the same network with weak and with full supervision, and a U-Net above both."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from medcam.service.comparison.arms import (
    Arm,
    ArmRuns,
    Produce,
    Trained,
    arm_folder,
    make_runs,
    threads_each,
)
from medcam.service.comparison.differences import ArmDifferences, differences
from medcam.service.comparison.figures import ArmFigures, arm_figures
from medcam.service.comparison.films import ComparisonPlan, comparison_films
from medcam.service.comparison.segmenter import Segmented
from medcam.service.training.small_network import LABELS_ALONE

WEAK, FULL, SEGMENTATION = "labels alone", "masks", "U-Net, masks"
WITH_MASKS = replace(LABELS_ALONE, masks=1.0)


@dataclass(frozen=True, slots=True)
class SupervisionRow:
    """One kind of supervision with one number of training films."""

    kind: str
    films: int
    figures: ArmFigures


@dataclass(frozen=True, slots=True)
class SupervisionFigures:
    """What supervision is worth.

    Args:
        rows: Every kind at every size.
        weak_less: Labels alone less each of the others with all films, paired.
    """

    rows: tuple[SupervisionRow, ...]
    weak_less: Mapping[str, ArmDifferences]


def compare_supervision(
    plan: ComparisonPlan,
    shares: tuple[float, ...],
    out: Path,
    *,
    workers: int = 1,
    threads: int = 0,
    report: Callable[[str], None] = lambda _: None,
) -> SupervisionFigures:
    """Trains a GAP classifier from labels alone, the same one with masks, and a U-Net, on growing shares of the films.

    Passes over the films are more where there are fewer, so that every arm takes about as many steps. Smaller sets are
    learnt from with the first seed alone.

    Args:
        plan: How much.
        shares: Shares of the training patients, such as (0.25, 0.5, 1.0); the last is 1.
        out: Where films and finished runs are kept; the full-size weak runs are those of `compare_heads`.
        workers: Processes that render, and that train, each with its share of the threads.
        threads: CPU threads that train; 0 leaves torch's own choice.
        report: Called after each run.
    """
    every = comparison_films(plan, out / "films", workers=workers)
    arms: list[tuple[str, ArmRuns]] = []
    for share in shares:
        films = every if share == 1.0 else every.first(share)
        longer = replace(plan, epochs=round(plan.epochs / share), seeds=plan.seeds if share == 1.0 else plan.seeds[:1])
        for kind, (name, produce) in _arms(longer, threads_each(workers, threads)).items():
            folder = arm_folder(out, name if share == 1.0 else f"{name}-share-{share:g}", longer)
            arms.append((kind, ArmRuns(produce, films, longer, folder)))
    make_runs([arm for _, arm in arms], workers, report)
    measured = [(kind, len(arm.films.train), arm.measured()) for kind, arm in arms]
    largest = {kind: each for kind, count, each in measured if count == len(every.train)}
    return SupervisionFigures(
        rows=tuple(SupervisionRow(kind, count, arm_figures(each, every.test)) for kind, count, each in measured),
        weak_less={kind: differences(largest[WEAK], largest[kind], every.test) for kind in (FULL, SEGMENTATION)},
    )


def _arms(plan: ComparisonPlan, threads: int) -> Mapping[str, tuple[str, Produce]]:
    return {
        WEAK: ("head-gap", Trained(Arm(WEAK), plan, threads)),
        FULL: ("masks-gap", Trained(Arm(FULL, objective=WITH_MASKS), plan, threads)),
        SEGMENTATION: ("masks-unet", Segmented(plan, threads)),
    }
