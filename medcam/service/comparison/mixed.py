"""Labels with boxes on a few films: what mixed supervision adds to labels alone, on phantoms.

Every arm has the objective of `medcam train` for one's own films, and a small network; they differ in the share of
findings whose box is known in training. A box is the tightest one around each part of a phantom's true mask.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from medcam.core.errors import UsageError
from medcam.core.geometry import Box
from medcam.evaluate.formats.places import box_pixels
from medcam.models.training.films import Films
from medcam.service.comparison.arms import Arm, ArmRuns, Trained, arm_folder, make_runs, threads_each
from medcam.service.comparison.differences import ArmDifferences, differences
from medcam.service.comparison.figures import ArmFigures, arm_figures
from medcam.service.comparison.films import ComparisonPlan, comparison_films
from medcam.service.training.recipes import FOLDER_RECIPE

BOX_SEED = 77
"""Which findings have their box: the same for every training seed, and more where the share is larger."""


@dataclass(frozen=True, slots=True)
class MixedRow:
    """One share of findings with boxes.

    Args:
        share: Of the findings that are present on training films, 0 to 1.
        boxed: How many these are.
        figures: What the arm gave.
    """

    share: float
    boxed: int
    figures: ArmFigures


@dataclass(frozen=True, slots=True)
class MixedFigures:
    """What boxes are worth.

    Args:
        films: Training films.
        present: Findings present on them.
        rows: By growing share; the first has none.
        gain: Each of the others less the first, paired, by share.
    """

    films: int
    present: int
    rows: tuple[MixedRow, ...]
    gain: Mapping[float, ArmDifferences]


def compare_mixed(
    plan: ComparisonPlan,
    shares: tuple[float, ...],
    out: Path,
    *,
    workers: int = 1,
    threads: int = 0,
    report: Callable[[str], None] = lambda _: None,
) -> MixedFigures:
    """Trains the recipe with labels alone and with boxes for growing shares of the findings.

    Args:
        plan: How much.
        shares: Shares of the findings with boxes, such as (0.1, 1.0); labels alone come first of themselves.
        out: Where films and finished runs are kept.
        workers: Processes that render, and that train, each with its share of the threads.
        threads: CPU threads that train; 0 leaves torch's own choice.
        report: Called after each run.

    Raises:
        UsageError: A share is not above 0 and at most 1.
    """
    if not all(0.0 < share <= 1.0 for share in shares):
        raise UsageError("a share of findings with boxes lies above 0 and is 1 at most")
    films = comparison_films(plan, out / "films", workers=workers)
    arms = {}
    for share in (0.0, *shares):
        objective = replace(FOLDER_RECIPE.objective, pairs=0.0, boxes=1.0 if share else 0.0)
        arm = Arm(f"boxes {share:g}", objective=objective)
        with_boxes = replace(films, train=boxed(films.train, share))
        folder = arm_folder(out, f"mixed-{share:g}", plan)
        arms[share] = ArmRuns(Trained(arm, plan, threads_each(workers, threads)), with_boxes, plan, folder)
    make_runs(list(arms.values()), workers, report)
    measured = {share: arm.measured() for share, arm in arms.items()}
    rows = [
        MixedRow(share, _boxed_count(arms[share].films.train), arm_figures(each, films.test))
        for share, each in measured.items()
    ]
    return MixedFigures(
        films=len(films.train),
        present=int((films.train.labels == 1).sum()),
        rows=tuple(rows),
        gain={share: differences(measured[share], measured[0.0], films.test) for share in shares},
    )


def boxed(films: Films, share: float) -> Films:
    """Films whose masks are boxes, for a share of the findings that are present; without masks for a share of 0.

    Args:
        films: With true masks.
        share: 0 to 1.

    Raises:
        UsageError: The films have no masks.
    """
    if films.masks is None:
        raise UsageError("boxes are made of true masks, and these films have none")
    if not share:
        return replace(films, masks=None)
    present = np.argwhere((films.labels == 1) & films.masks.any(axis=(2, 3)))
    order = np.random.default_rng(BOX_SEED).permutation(len(present))
    masks = np.zeros_like(films.masks)
    for film, finding in present[order[: max(1, round(share * len(present)))]]:
        masks[film, finding] = _boxes(films.masks[film, finding])
    return replace(films, masks=masks)


def _boxes(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """The tightest box around each 8-connected part of a mask, filled."""
    parts, count = ndimage.label(mask, structure=np.ones((3, 3)))
    filled = np.zeros_like(mask)
    for part in range(1, count + 1):
        filled[box_pixels(Box.around(parts == part), *mask.shape)] = True
    return filled


def _boxed_count(films: Films) -> int:
    return 0 if films.masks is None else int(films.masks.any(axis=(2, 3)).sum())
