"""The study behind `nih-opacity`: every ingredient under patient-level cross-validation, the choice, the model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from medcam.core.card import Interval, ModelCard, RegionRule
from medcam.service.opacity import figures as measure
from medcam.service.opacity.features import FAMILIES, Features, film_features
from medcam.service.opacity.films import OpacityFilms, opacity_films
from medcam.service.opacity.finished import finish
from medcam.service.opacity.references import references
from medcam.service.opacity.tail import Ingredients, Outputs, run_tail, train_tail

Figures = dict[str, object]

FOLDS, MORE_FOLDS = 3, 10
"""All rows are compared with few folds; the chosen one is measured with more too, as near to all films as may be."""
BOTH, LONG = tuple(FAMILIES), 12
STEPS: dict[str, Ingredients] = {
    "labels": Ingredients(labels=1.0),
    "labels within strata": Ingredients(ranks=1.0),
    "labels within strata, lungs": Ingredients(ranks=1.0, lungs=0.5),
    "pairs": Ingredients(pairs=1.0),
    "pairs, cells": Ingredients(pairs=1.0, cells=1.0),
    "pairs of both kinds, cells": Ingredients(pairs=1.0, cells=1.0, families=BOTH),
    "pairs of both kinds, cells, stage 5 alone": Ingredients(pairs=1.0, cells=1.0, families=BOTH, stages=(5,)),
    "pairs of both kinds, cells, stage 5 alone, long": Ingredients(
        pairs=1.0, cells=1.0, families=BOTH, stages=(5,), epochs=LONG
    ),
    "pairs, cells, labels within strata, lungs": Ingredients(pairs=1.0, cells=1.0, ranks=0.3, lungs=0.5),
}
"""Ingredients by name, in the order of the table."""
ALIKE = 0.01
"""Two seeds of one row differ by as much."""
_PLANTED = ("planted", "pointing")


@dataclass(frozen=True, slots=True)
class StudyPlan:
    """How much is done.

    Args:
        data: Folder of the films; see `opacity_films`.
        work: Folder where features and finished parts are kept.
        seed: Of folds, first weights, order and what is planted.
        films: Most films; 0 for all.
        epochs: Passes over the films; 0 keeps those of `Ingredients`.
        threads: CPU threads; 0 leaves torch's own choice.
        command: How the study is run again, for the card.
    """

    data: Path
    work: Path
    seed: int = 0
    films: int = 0
    epochs: int = 0
    threads: int = 0
    command: str = ""


@dataclass(frozen=True, eq=False)
class Measured:
    """One row of the study: its out-of-fold outputs, its region rule and its figures."""

    name: str
    recipe: Ingredients
    outputs: Outputs = field(repr=False)
    rule: RegionRule
    chosen_by: dict[str, Interval]


def run_study(plan: StudyPlan, report: Callable[[str], None] = lambda _: None) -> tuple[Figures, ModelCard]:
    """Trains and measures every row, chooses, and writes the chosen model to `work/model`.

    The choice looks at labels, strata and planted opacities. Readings and readers' boxes are looked at once, after it.

    Returns:
        Plain values for the page, and the card as saved.
    """
    if plan.threads:
        torch.set_num_threads(plan.threads)
    films = opacity_films(plan.data)
    films = films.first(plan.films) if plan.films else films
    features = film_features(
        films,
        plan.work / f"features-{plan.seed}",
        plan.seed,
        lambda what, done, count: report(f"{what} {done}/{count}"),
    )
    rows = []
    for name, recipe in STEPS.items():
        recipe = replace(recipe, epochs=plan.epochs or recipe.epochs)
        rows.append(_measured(name, recipe, films, features, FOLDS, plan))
        report(f"{name} measured")
    best = chosen(rows)
    finer = _measured(best.name, best.recipe, films, features, MORE_FOLDS, plan)
    report(f"{best.name} measured with more folds")
    figures = _figures(films, features, rows, finer, plan)
    card, gate = finish(films, features, best.recipe, finer.outputs, plan.seed, plan.work / "model", plan.command)
    return figures | {"gate": gate, "model": {"version": card.version, "sha256": card.weights_sha256}}, card


def chosen(rows: list[Measured]) -> Measured:
    """The row to ship, by a rule that no reader's word goes into.

    Of those that rank the films of a stratum by reports' labels better than chance (the interval lies above one half;
    all, where none does): the best mean of AUC and pointing game on both families of planted opacities of held-out
    patients. Rows that are no further than `ALIKE` below it count as equal; of equals, the best within strata.
    """
    able = [row for row in rows if row.chosen_by["strata"].low > 0.5] or rows
    best = max(map(_on_planted, able))
    equal = [row for row in able if best - _on_planted(row) <= ALIKE]
    return max(equal, key=lambda row: row.chosen_by["strata"].value)


def _on_planted(row: Measured) -> float:
    return float(np.mean([row.chosen_by[f"{figure}-{family}"].value for figure in _PLANTED for family in FAMILIES]))


def _measured(
    name: str, recipe: Ingredients, films: OpacityFilms, features: Features, count: int, plan: StudyPlan
) -> Measured:
    outputs = _outputs(name, recipe, films, features, count, plan)
    figures = measure.label_figures(films, outputs)
    figures |= measure.planted_pointing(films, outputs, features)
    return Measured(name, recipe, outputs, measure.calibrated(films, outputs.maps, features), figures)


def _outputs(
    name: str, recipe: Ingredients, films: OpacityFilms, features: Features, count: int, plan: StudyPlan
) -> Outputs:
    """Of every film by the network that never saw its patient; kept, so that a stopped study goes on."""
    stem = f"outputs-{plan.seed}-{name.replace(', ', '_').replace(' ', '-')}-{recipe.epochs}"
    stem = stem if count == FOLDS else f"{stem}-of-{count}"
    count = min(count, len(np.unique(films.patients)))
    folds = films.folds(count, plan.seed)

    def fold_outputs(fold: int) -> Outputs:
        network = train_tail(films, features, np.flatnonzero(folds != fold), recipe, plan.seed + fold)
        return run_tail(network, features, np.flatnonzero(folds == fold))

    def whole() -> Outputs:
        parts: dict[int, tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]] = {}
        for fold in range(count):
            part = _kept(plan.work / f"{stem}-fold-{fold}.npz", partial(fold_outputs, fold))
            parts.update(zip(np.flatnonzero(folds == fold).tolist(), _each(part), strict=True))
        ordered = [parts[row] for row in range(len(films))]
        return Outputs(np.stack([logits for logits, _ in ordered]), np.stack([maps for _, maps in ordered]))

    return _kept(plan.work / f"{stem}.npz", whole)


def _kept(path: Path, made: Callable[[], Outputs]) -> Outputs:
    if path.is_file():
        with np.load(path) as file:
            return Outputs(file["logits"], file["maps"])
    outputs = made()
    np.savez(path, logits=outputs.logits, maps=outputs.maps)
    return outputs


def _each(outputs: Outputs) -> list[tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]]:
    return list(zip(outputs.logits, outputs.maps, strict=True))


def _figures(
    films: OpacityFilms, features: Features, rows: list[Measured], finer: Measured, plan: StudyPlan
) -> Figures:
    """Of all rows, and of the chosen one with more folds."""
    read = films.read
    readers = measure.readers_iou(films)
    return {
        "films": len(films),
        "patients": len(np.unique(films.patients)),
        "with_finding": int(films.labels.sum()),
        "read": len(read),
        "read_opacity": int((films.readings[read] == 1).sum()),
        "boxed": len(films.boxes),
        "strata": len(np.unique(films.strata)),
        "rows": [_row(films, row) for row in rows],
        "finer": _row(films, finer) | {"folds": MORE_FOLDS},
        "references": references(films, features, plan.work),
        "readers": asdict(readers) if readers else None,
        "both_readers": len(set(films.boxes) & set(films.other_boxes)),
        "chosen": finer.name,
    }


def _row(films: OpacityFilms, row: Measured) -> Figures:
    rules = (row.rule, measure.HALF)
    found = measure.reader_figures(films, row.outputs.logits[:, 0], row.outputs.maps[:, 0], rules)
    return {
        "name": row.name,
        "recipe": asdict(row.recipe),
        "rule": asdict(row.rule) | {"kind": str(row.rule.kind)},
        "figures": measure.as_plain(row.chosen_by | found),
    }
