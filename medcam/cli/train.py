"""`medcam train`: a GAP classifier from image-level labels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medcam.cli.console import command_line, progress, say, show, stoppable
from medcam.cli.train_own import OwnOptions, tell_epoch, tell_sets, train_on_own
from medcam.core.errors import UsageError

if TYPE_CHECKING:
    from medcam.core.card import ModelCard
    from medcam.models.training.config import TrainingConfig
    from medcam.service.training.train import TrainingSets

PHANTOM, TEXT = "phantom", "text"
SIZES, COUNTS = {PHANTOM: 320, TEXT: 384}, {PHANTOM: 8000, TEXT: 160}


def train(
    data: Annotated[str, typer.Option(help="A folder with films and labels, a table, a store; `phantom` or `text`.")],
    out: Annotated[Path, typer.Option(help="Where checkpoints, curves and the finished model go.")] = Path(
        "runs/model"
    ),
    name: Annotated[str, typer.Option(help="The model's name on its card.")] = "",
    from_model: Annotated[str, typer.Option("--from", help="Go on from this model.")] = "",
    config: Annotated[Path | None, typer.Option(help="JSON file with fields that replace the recipe's.")] = None,
    show_config: Annotated[bool, typer.Option("--show-config", help="Print the configuration and stop.")] = False,
    finding: Annotated[list[str] | None, typer.Option(help="A finding to learn; repeat for several.")] = None,
    size: Annotated[
        int, typer.Option(help="Side of the input in pixels, from 64 on; 0: 320, for `text` 384, or --from's.", min=0)
    ] = 0,
    epochs: Annotated[int, typer.Option(help="Passes over the films; 0 keeps the recipe's.", min=0)] = 0,
    seed: Annotated[int, typer.Option(help="Decides split, initial weights, order and augmentation.", min=0)] = 0,
    count: Annotated[int, typer.Option(help="Phantoms to learn from, from 20 on; 0: 8000, for `text` 160.", min=0)] = 0,
    workers: Annotated[int, typer.Option(help="Processes that render phantoms or read films.", min=1)] = 1,
    threads: Annotated[int, typer.Option(help="CPU threads; 0 leaves it to torch.", min=0)] = 0,
    layout: Annotated[
        str,
        typer.Option(
            help="How films and labels lie there: table, nih, chexpert, mimic-cxr-jpg, vindr, rsna, reviews, folders."
        ),
    ] = "auto",
    uncertain: Annotated[
        str, typer.Option(help="What uncertain labels count as: u-ones, u-zeros or u-ignore.")
    ] = "u-ignore",
    unmentioned: Annotated[
        str, typer.Option(help="What a finding counts as that a report does not mention: absent or ignore.")
    ] = "absent",
    boxes: Annotated[str, typer.Option(help="What marked places are for: ignore, measure or learn.")] = "measure",
    places: Annotated[
        Path | None, typer.Option(help="Boxes or masks, in any format of `evaluate localisation`.")
    ] = None,
    patient_pattern: Annotated[str, typer.Option(help="Regular expression: the patient in a film's name.")] = "",
    freeze: Annotated[bool, typer.Option("--freeze", help="With --from: train the head alone.")] = False,
    licence: Annotated[str, typer.Option(help="Terms of the films, for the card; asked for on a terminal.")] = "",
    as_: Annotated[str, typer.Option("--as", metavar="NAME", help="Keep the model under this name, for --model.")] = "",
    replace: Annotated[bool, typer.Option("--replace", help="Replace a model of that name.")] = False,
) -> None:
    """Trains a classifier whose maps explain it, from image-level labels; a killed run resumes where it was.

    Layouts: labels.csv (columns `image`, `patient_id`, one per finding), NIH ChestX-ray14, CheXpert, MIMIC-CXR-JPG,
    VinDr-CXR, RSNA, a folder per class, and reviews of a store. Patients are split 70 / 15 / 15. `phantom` trains the
    shipped model, `text` the detector of burned-in text. The finished model is a folder that `--model` takes. Several
    processes: `torchrun --nproc-per-node N -m medcam train ...`.
    """
    recipe = _with_options(_recipe(data, config), epochs, seed, threads)
    own = OwnOptions(
        layout,
        uncertain,
        unmentioned,
        boxes,
        places,
        patient_pattern,
        freeze,
        licence,
        as_,
        replace,
        tuple(finding or ()),
    )
    if data not in COUNTS:
        card = train_on_own(
            data, own, recipe, out, name, from_model, config, size=size, workers=workers, show_config=show_config
        )
        if card is not None:
            _show_card(card, out if not as_ else Path(as_))
        return
    size, count = size or SIZES[data], count or COUNTS[data]
    if size < 64 or count < 20:
        raise UsageError("training needs a side of at least 64 pixels and at least 20 phantoms")
    if own != OwnOptions() or (data == TEXT and from_model):
        raise UsageError(f"`{data}` comes with its own films and findings, and `text` starts from random weights")
    if show_config:
        import json

        say(json.dumps(recipe.as_dict(), indent=1))
        return
    with stoppable("The same command goes on from the last finished epoch."):
        sets = _sets(data, out, size, count, workers)
        words = ["medcam", "train", "--data", data, "--name", name or out.name, "--size", str(size)]
        words += ["--count", str(count)]
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


def _sets(data: str, out: Path, size: int, count: int, workers: int) -> TrainingSets:
    from medcam.service.training.text_model import TextSets, text_sets
    from medcam.service.training.training_sets import PhantomSets, phantom_sets

    with progress("films") as step:

        def report(what: str, done: int, total: int) -> None:
            step(done, total, what)

        if data == PHANTOM:
            plan = PhantomSets(train=count, size=size, validation=min(600, count), calibration=min(1500, 2 * count))
            return phantom_sets(plan, out / "films", workers=workers, report=report)
        return text_sets(TextSets(train=count, side=size), out / "films", workers=workers, report=report)


def _train(
    name: str, sets: TrainingSets, recipe: TrainingConfig, out: Path, from_model: str, data: str, command: str
) -> ModelCard:
    from medcam.service.training.text_model import train_text_model
    from medcam.service.training.train import Provenance, train_model

    kinds = {
        PHANTOM: "films, synthetic phantoms in matched pairs",
        TEXT: "pictures of synthetic phantoms, half with print, labels per picture",
    }
    provenance = Provenance(data=f"{len(sets.train)} {kinds[data]}", licence="CC0-1.0", command=command)
    tell_sets(sets)
    if data == TEXT:
        return train_text_model(name, sets, recipe, out, provenance=provenance, report=tell_epoch)
    return train_model(name, sets, recipe, out, provenance=provenance, start_from=from_model or None, report=tell_epoch)


def _show_card(card: ModelCard, model: Path) -> None:
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
    say(f"Model: {model}. Try it: {command_line('medcam', 'annotate', 'SOURCE', '--out', 'OUT', '--model', model)}")
