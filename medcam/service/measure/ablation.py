"""What each ingredient of the phantom recipe is worth: the recipe trained without it, on the same films and budget.

    python -m medcam.service.measure.ablation --count 1500 --epochs 5 --size 128 --out runs/ablation

prints a Markdown table of AUC, pointing game and IoU per finding on separate phantoms. Rows that are finished are kept
in the folder, so that a killed run goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from medcam.models.training.config import Augmentation, Objective, TrainingConfig
from medcam.models.training.loop import Trainer
from medcam.models.training.network import new_classifier
from medcam.models.training.validation import Validation
from medcam.service.training.recipes import PHANTOM_RECIPE
from medcam.service.training.train import TrainingSets
from medcam.service.training.training_sets import PhantomSets, phantom_sets

_log = logging.getLogger(__name__)
_STILL = Augmentation(shift=0.0, turn=0.0, zoom=0.0, flip=0.0)
_COARSE = {**PHANTOM_RECIPE.backbone_options, "stride": 8, "neck": 0}


def _objective(**weights: Any) -> Callable[[TrainingConfig], TrainingConfig]:
    return lambda recipe: replace(recipe, objective=replace(recipe.objective, **weights))


VARIANTS: Mapping[str, Callable[[TrainingConfig], TrainingConfig]] = {
    "the recipe": lambda recipe: recipe,
    "without pairs": _objective(pairs=0.0),
    "pairs without the way a finding changes the film": lambda recipe: replace(
        recipe,
        objective=replace(
            recipe.objective,
            extents={name: replace(extent, darker=False) for name, extent in recipe.objective.extents.items()},
        ),
    ),
    "without positives": _objective(positives=0.0),
    "without negatives": _objective(negatives=0.0),
    "without background": _objective(background=0.0),
    "without finding units": lambda recipe: replace(recipe, head_options={}),
    "without neck (map at stride 8)": lambda recipe: replace(recipe, backbone_options=_COARSE),
    "without shift, turn, zoom, flip": lambda recipe: replace(recipe, augmentation=_STILL),
    "focus in full from the start": lambda recipe: replace(recipe, focus_by=0.0),
    "padding by replication": lambda recipe: replace(
        recipe, backbone_options={**recipe.backbone_options, "padding_mode": "replicate"}
    ),
    "plain GAP": lambda recipe: replace(
        recipe, head_options={}, objective=Objective(positives=0.0, negatives=0.0, background=0.0, pairs=0.0)
    ),
}
"""The recipe, and the recipe with one thing left out or changed; the last row leaves out everything."""


def ablate(sets: TrainingSets, recipe: TrainingConfig, out: Path, names: tuple[str, ...] = ()) -> dict[str, Validation]:
    """Trains each variant and measures it on the validation films.

    Args:
        sets: The films; `validation` is measured on (nothing is chosen by it: the last epoch counts).
        recipe: What the variants are variants of.
        out: Where finished rows are kept.
        names: Variants to train; all when empty.

    Returns:
        Figures of the last epoch per variant.
    """
    rows: dict[str, Validation] = {}
    for name, vary in VARIANTS.items():
        if names and name not in names:
            continue
        folder = out / name.replace(" ", "-").replace(",", "").replace("(", "").replace(")", "")
        config = vary(recipe)
        classifier = new_classifier(config, len(sets.train.names))
        history = Trainer(classifier, sets.train, sets.validation, config, folder).run()
        rows[name] = history[-1].validation
        (folder / "row.json").write_text(json.dumps({"name": name, **asdict(rows[name])}))
        _log.info("%s: AUC %.3f", name, float(np.nanmean(rows[name].auc)))
    return rows


def table(rows: Mapping[str, Validation], findings: tuple[str, ...]) -> str:
    """A Markdown table: AUC / pointing / IoU per finding and their means."""
    lines = [f"| variant | {' | '.join(findings)} | mean |", f"|---|{'---|' * (len(findings) + 1)}"]
    for name, row in rows.items():
        figures = np.array([row.auc, row.pointing, row.iou]).T
        cells = [_cell(figure) for figure in (*figures, np.nanmean(figures, axis=0))]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(figures: np.ndarray[tuple[int], np.dtype[np.float64]]) -> str:
    return " / ".join(f"{value:.2f}".lstrip("0") if np.isfinite(value) else "-" for value in figures)


def main(arguments: list[str] | None = None) -> None:
    """Command line of the module."""
    parser = argparse.ArgumentParser(description="Leave out each ingredient of the phantom recipe in turn.")
    parser.add_argument("--count", type=int, default=1500, help="patients to learn from")
    parser.add_argument("--validation", type=int, default=400, help="patients to measure on")
    parser.add_argument("--size", type=int, default=128, help="side of the films")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--only", nargs="*", default=(), help="variants to train")
    parser.add_argument("--out", type=Path, default=Path("runs/ablation"))
    given = parser.parse_args(arguments)
    plan = PhantomSets(given.count, given.validation, 20, given.size)
    sets = phantom_sets(plan, given.out / "films", workers=given.workers)
    recipe = replace(PHANTOM_RECIPE, epochs=given.epochs, threads=given.threads, seed=given.seed)
    rows = ablate(sets, recipe, given.out, tuple(given.only))
    _log.info("%s", table(rows, sets.train.names))


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main()
