"""`medcam train --data FOLDER`: one's own films, in any of the layouts that people have."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from medcam.cli.console import command_line, on_terminal, progress, say, stoppable, tell
from medcam.core.errors import UsageError

if TYPE_CHECKING:
    from medcam.core.card import ModelCard
    from medcam.models.training.config import TrainingConfig
    from medcam.models.training.loop import EpochRecord
    from medcam.models.training.processes import Team
    from medcam.service.training.own_model import OwnData, Prepared
    from medcam.service.training.own_start import Start
    from medcam.service.training.train import TrainingSets

Kind = TypeVar("Kind", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class OwnOptions:
    """Options of the command that one's own films have; words as on the command line."""

    layout: str = "auto"
    uncertain: str = "u-ignore"
    unmentioned: str = "absent"
    boxes: str = "measure"
    places: Path | None = None
    patient_pattern: str = ""
    freeze: bool = False
    licence: str = ""
    kept_as: str = ""
    replace: bool = False
    findings: tuple[str, ...] = ()

    def words(self) -> list[str]:
        """Those that were given, as words of a command."""
        words = []
        for flag, value, usual in (
            ("--layout", self.layout, "auto"),
            ("--uncertain", self.uncertain, "u-ignore"),
            ("--unmentioned", self.unmentioned, "absent"),
            ("--boxes", self.boxes, "measure"),
            ("--places", str(self.places or ""), ""),
            ("--patient-pattern", self.patient_pattern, ""),
        ):
            words += [flag, value] if value != usual else []
        words += ["--freeze"] if self.freeze else []
        return words + [word for name in self.findings for word in ("--finding", name)]


def train_on_own(
    data: str,
    options: OwnOptions,
    recipe: TrainingConfig,
    out: Path,
    name: str,
    from_model: str,
    config: Path | None,
    *,
    size: int,
    workers: int,
    show_config: bool,
) -> ModelCard | None:
    """Trains on one's own films; returns the card, in the first process of several."""
    from medcam.models.training.processes import joined
    from medcam.service.published.names import new_model_folder
    from medcam.service.training.own_model import keep_model, train_own

    start = _start(recipe, from_model, size, freeze=options.freeze)
    if show_config:
        import json

        say(json.dumps(start.config.as_dict(), indent=1))
        return None
    own = _data(data, options, workers)
    if options.kept_as:
        new_model_folder(options.kept_as, replace=options.replace)
    named = options.kept_as or name or out.name
    words = ["medcam", "train", "--data", data, "--name", named, *options.words()]
    words += ["--from", from_model] if from_model else []
    words += ["--config", str(config)] if config else []
    words += ["--size", str(start.recipe.height), "--epochs", str(recipe.epochs), "--seed", str(recipe.seed)]
    words += ["--threads", str(recipe.threads)]
    with stoppable("The same command goes on from the last finished epoch."), joined() as team:
        licence = options.licence or _asked(team)
        prepared = _prepared(own, start, out / "films", team)
        card = train_own(
            named,
            prepared,
            start,
            out,
            licence=licence,
            command=command_line(*words),
            team=team,
            report=tell_epoch,
        )
        if card is not None and options.kept_as:
            keep_model(out, options.kept_as, replaced=options.replace)
    return card


def tell_sets(sets: TrainingSets) -> None:
    """Says how many films there are for what."""
    tell(
        f"{len(sets.train)} films to learn from, {len(sets.validation)} to choose by, "
        f"{len(sets.calibration)} to calibrate or measure with"
    )


def tell_epoch(record: EpochRecord) -> None:
    """Says how far an epoch has brought the network."""
    import numpy as np

    v = record.validation
    figures = [
        float(np.nanmean(column)) if np.isfinite(column).any() else None for column in (v.auc, v.pointing, v.iou)
    ]
    shown = "  ".join(
        f"{label} {figure:.3f}" for label, figure in zip(("AUC", "pointing", "IoU"), figures, strict=True) if figure
    )
    tell(f"epoch {record.epoch + 1}: loss {record.loss['total']:.3f}  {shown}  {record.seconds:.0f} s")


def _start(recipe: TrainingConfig, from_model: str, size: int, *, freeze: bool) -> Start:
    from dataclasses import replace

    from medcam.service.training.own_start import fresh_start, start_from
    from medcam.service.training.recipes import FOLDER_RECIPE

    if size and size < 64:
        raise UsageError("training needs a side of at least 64 pixels")
    if not from_model:
        if freeze:
            raise UsageError("--freeze needs --from: random features that stay as they are teach nothing")
        return fresh_start(recipe, size)
    network = (recipe.backbone, recipe.backbone_options, recipe.head, recipe.head_options)
    usual = FOLDER_RECIPE
    if network != (usual.backbone, usual.backbone_options, usual.head, usual.head_options):
        raise UsageError(
            "the network is that of --from",
            code="training-config",
            next_step="Leave backbone, head and their options out of --config.",
        )
    chosen_rate = recipe.learning_rate != usual.learning_rate
    return start_from(from_model, replace(recipe, frozen=freeze), size, chosen_rate=chosen_rate)


def _data(source: str, options: OwnOptions, workers: int) -> OwnData:
    from medcam.service.evaluation.true_places import read_places
    from medcam.service.training.own_films import Reading
    from medcam.service.training.own_model import OwnData
    from medcam.service.training.own_sets import Boxes
    from medcam.service.training.uncertain import Uncertain, Unmentioned

    reading = Reading(
        findings=options.findings,
        unmentioned=_one_of(Unmentioned, options.unmentioned, "--unmentioned"),
        patient_pattern=options.patient_pattern,
        places=None if options.places is None else read_places(options.places),
        workers=workers,
    )
    uncertain = _one_of(Uncertain, options.uncertain, "--uncertain")
    return OwnData(source, options.layout, reading, uncertain, _one_of(Boxes, options.boxes, "--boxes"))


def _one_of(kind: type[Kind], word: str, flag: str) -> Kind:
    try:
        return kind(word)
    except ValueError:
        raise UsageError(f"{flag} cannot be {word!r}", next_step=f"Choose from {', '.join(kind)}.") from None


def _asked(team: Team) -> str:
    """The terms of the films, asked for where somebody can answer."""
    if team.size > 1 or not on_terminal():
        return ""
    import typer

    return str(
        typer.prompt("Under which terms may these films be used (for the card)?", default="", show_default=False)
    )


def _prepared(own: OwnData, start: Start, folder: Path, team: Team) -> Prepared:
    from medcam.service.training.own_model import prepare_own

    with progress("films") if team.first else nullcontext(lambda *_: None) as step:
        prepared = prepare_own(own, start, folder, team, lambda done, total: step(done, total, ""))
    if team.first:
        tell(prepared.data)
        tell_sets(prepared.sets)
    return prepared
