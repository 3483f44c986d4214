"""`medcam train`: a GAP classifier from image-level labels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medcam.cli.console import command_line, progress, say, show, stoppable, tell
from medcam.core.errors import UsageError

if TYPE_CHECKING:
    from medcam.core.card import ModelCard
    from medcam.models.training.config import TrainingConfig
    from medcam.service.training.train import TrainingSets

PHANTOM, TEXT = "phantom", "text"
SIZES, COUNTS = {PHANTOM: 320, TEXT: 384}, {PHANTOM: 8000, TEXT: 160}
FOLDER_SIZE = 320


def train(
    data: Annotated[str, typer.Option(help="A folder with labels.csv and films, or `phantom`, or `text`.")],
    out: Annotated[Path, typer.Option(help="Where checkpoints, curves and the finished model go.")] = Path(
        "runs/model"
    ),
    name: Annotated[str, typer.Option(help="The model's name on its card.")] = "",
    from_model: Annotated[str, typer.Option("--from", help="Start from the backbone of this model.")] = "",
    config: Annotated[Path | None, typer.Option(help="JSON file with fields that replace the recipe's.")] = None,
    show_config: Annotated[bool, typer.Option("--show-config", help="Print the configuration and stop.")] = False,
    finding: Annotated[
        list[str] | None, typer.Option(help="Column of labels.csv to learn; repeat for several.")
    ] = None,
    size: Annotated[
        int, typer.Option(help="Side of the model's input in pixels, from 64 on; 0: 320, for `text` 384.", min=0)
    ] = 0,
    epochs: Annotated[int, typer.Option(help="Passes over the films; 0 keeps the recipe's.", min=0)] = 0,
    seed: Annotated[int, typer.Option(help="Decides initial weights, order and augmentation.", min=0)] = 0,
    count: Annotated[int, typer.Option(help="Phantoms to learn from, from 20 on; 0: 8000, for `text` 160.", min=0)] = 0,
    workers: Annotated[int, typer.Option(help="Processes that render phantoms.", min=1)] = 1,
    threads: Annotated[int, typer.Option(help="CPU threads; 0 leaves it to torch.", min=0)] = 0,
) -> None:
    """Trains a classifier whose maps explain it, from image-level labels; a killed run resumes where it was.

    A folder needs `labels.csv` with the columns `image` (DICOM, PNG or JPEG), `patient_id`, and one column per finding
    with 1, 0 or nothing. Patients are split 70 / 15 / 15. `phantom` trains the shipped model, `text` the detector of
    burned-in text. The finished model is a folder that `--model` takes.
    """
    recipe = _with_options(_recipe(data, config), epochs, seed, threads)
    size, count = size or SIZES.get(data, FOLDER_SIZE), count or COUNTS.get(data, 0)
    if size < 64 or (data in COUNTS and count < 20):
        raise UsageError("training needs a side of at least 64 pixels and at least 20 phantoms")
    if data == TEXT and (from_model or finding):
        raise UsageError("the detector of burned-in text starts from random weights and has one finding")
    if show_config:
        import json

        say(json.dumps(recipe.as_dict(), indent=1))
        return
    with stoppable("The same command goes on from the last finished epoch."):
        sets = _sets(data, out, size, tuple(finding or ()), count, seed, workers)
        words = ["medcam", "train", "--data", data, "--name", name or out.name, "--size", str(size)]
        words += ["--count", str(count)] if data in COUNTS else []
        words += [word for column in finding or () for word in ("--finding", column)]
        words += ["--from", from_model] if from_model else []
        words += ["--config", str(config)] if config else []
        words += ["--epochs", str(recipe.epochs), "--seed", str(seed), "--threads", str(threads)]
        card = _train(name or out.name, sets, recipe, out, from_model, data, command_line(*words))
    _show_card(card, out)


def _recipe(data: str, config: Path | None) -> TrainingConfig:
    from medcam.service.training.recipes import FOLDER_RECIPE, PHANTOM_RECIPE, configured
    from medcam.service.training.text_model import TEXT_RECIPE

    return configured({PHANTOM: PHANTOM_RECIPE, TEXT: TEXT_RECIPE}.get(data, FOLDER_RECIPE), config)


def _with_options(recipe: TrainingConfig, epochs: int, seed: int, threads: int) -> TrainingConfig:
    from dataclasses import replace

    return replace(recipe, epochs=epochs or recipe.epochs, seed=seed, threads=threads)


def _sets(
    data: str, out: Path, size: int, findings: tuple[str, ...], count: int, seed: int, workers: int
) -> TrainingSets:
    from medcam.service.training.text_model import TextSets, text_sets
    from medcam.service.training.training_sets import PhantomSets, folder_sets, phantom_sets

    with progress("films") as step:

        def report(what: str, done: int, total: int) -> None:
            step(done, total, what)

        if data == PHANTOM:
            plan = PhantomSets(train=count, size=size, validation=min(600, count), calibration=min(1500, 2 * count))
            return phantom_sets(plan, out / "films", workers=workers, report=report)
        if data == TEXT:
            return text_sets(TextSets(train=count, side=size), out / "films", workers=workers, report=report)
        folder = Path(data)
        if not folder.is_dir():
            raise UsageError(
                f"there is no folder {data}", next_step="Name a folder with labels.csv, or `phantom` or `text`."
            )
        return folder_sets(folder, size, findings, seed, report)


def _train(
    name: str, sets: TrainingSets, recipe: TrainingConfig, out: Path, from_model: str, data: str, command: str
) -> ModelCard:
    from medcam.models.training.loop import EpochRecord
    from medcam.service.training.text_model import train_text_model
    from medcam.service.training.train import Provenance, train_model

    kinds = {
        PHANTOM: "films, synthetic phantoms in matched pairs",
        TEXT: "pictures of synthetic phantoms, half with print, labels per picture",
    }
    provenance = Provenance(
        data=f"{len(sets.train)} {kinds.get(data, 'films, from a folder')}",
        licence="CC0-1.0" if data in kinds else "that of the films",
        command=command,
    )
    tell(
        f"{len(sets.train)} films to learn from, {len(sets.validation)} to choose by, "
        f"{len(sets.calibration)} to calibrate with"
    )

    def report(record: EpochRecord) -> None:
        import numpy as np

        v = record.validation
        figures = [
            float(np.nanmean(column)) if np.isfinite(column).any() else None for column in (v.auc, v.pointing, v.iou)
        ]
        shown = "  ".join(
            f"{label} {figure:.3f}" for label, figure in zip(("AUC", "pointing", "IoU"), figures, strict=True) if figure
        )
        tell(f"epoch {record.epoch + 1}: loss {record.loss['total']:.3f}  {shown}  {record.seconds:.0f} s")

    if data == TEXT:
        return train_text_model(name, sets, recipe, out, provenance=provenance, report=report)
    return train_model(name, sets, recipe, out, provenance=provenance, start_from=from_model or None, report=report)


def _show_card(card: ModelCard, out: Path) -> None:
    from rich.table import Table

    table = Table(title=f"{card.name} {card.version}")
    for column in ("finding", "AUC (95 % interval)", "threshold", "pointing", "IoU"):
        table.add_column(column)
    for finding in card.findings:
        auc, pointing, iou = (finding.performance.get(figure) for figure in ("auc", "pointing", "iou"))
        table.add_row(
            finding.name,
            f"{auc.value:.3f} ({auc.low:.3f}-{auc.high:.3f})" if auc else "-",
            f"{finding.threshold:.3f}",
            f"{pointing.value:.3f}" if pointing else "-",
            f"{iou.value:.3f}" if iou else "-",
        )
    show(table)
    say(f"Model: {out}. Try it: {command_line('medcam', 'annotate', 'SOURCE', '--out', 'OUT', '--model', out)}")
