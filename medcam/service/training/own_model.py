"""From one's own data to a model: read, split, train on from another model, measure, keep."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from medcam.core.card import ModelCard
from medcam.core.errors import UsageError
from medcam.models.files import load_folder, save_model
from medcam.models.training.config import TrainingConfig
from medcam.models.training.loop import EpochRecord
from medcam.models.training.processes import Team
from medcam.service.published.names import new_model_folder
from medcam.service.training.layouts.every import AUTO, read_listing
from medcam.service.training.own_films import OwnFilms, Reading, own_films
from medcam.service.training.own_sets import Boxes, data_words, limit_words, own_sets
from medcam.service.training.own_start import Start
from medcam.service.training.read_films import LATERAL
from medcam.service.training.train import Provenance, TrainingSets, train_started
from medcam.service.training.uncertain import Uncertain

NOT_STATED = "not stated by who trained it"
MOST_LEFT_OUT = 0.5
"""Share of the films that may be left out; a data set that lies elsewhere than its table says is no data set."""


@dataclass(frozen=True, slots=True)
class OwnData:
    """Which data a model is to be trained on, and how they are taken.

    Args:
        source: A folder, a table, or a store.
        layout: A name of `medcam.service.training.layouts.every.NAMES`.
        reading: How films and labels are read.
        uncertain: What uncertain labels count as in training.
        boxes: What marked places are for.
    """

    source: str
    layout: str = AUTO
    reading: Reading = field(default_factory=Reading)
    uncertain: Uncertain = Uncertain.IGNORE
    boxes: Boxes = Boxes.MEASURE


@dataclass(frozen=True, eq=False, slots=True)
class Prepared:
    """Data ready for training.

    Args:
        sets: To learn from, to choose by, to measure on.
        data: What the card says of them.
        limits: What it says must be borne in mind.
        boxes: What marked places are for.
    """

    sets: TrainingSets
    data: str
    limits: tuple[str, ...]
    boxes: Boxes


def prepare_own(
    data: OwnData, start: Start, folder: Path, team: Team, progress: Callable[[int, int], None] = lambda *_: None
) -> Prepared:
    """Reads and splits the data; the first process reads, the others take what it left.

    Args:
        data: Which.
        start: Its recipe decides how films are prepared, its seed how they are split.
        folder: Where films at model size are kept.
        team: The processes of the run.
        progress: Called with (films done, films in all).

    Raises:
        UsageError: The data cannot be used: see `read_listing`, `own_films` and `own_sets`; or most films cannot be
            read (`empty-cohort`), or nothing has a place to learn from (`training-config`).
        OutputError: The folder cannot be written.
    """
    listing = read_listing(data.source, data.layout)
    reading = replace(data.reading, with_places=data.boxes is not Boxes.IGNORE)
    if not team.first:
        team.wait()
    own = own_films(listing, start.recipe, reading, folder, progress)
    if team.first:
        team.wait()
    wanted = data.boxes is Boxes.LEARN or (reading.with_places and reading.places is not None)
    _check(own, len(listing.films), wanted=wanted)
    sets = own_sets(own, data.uncertain, data.boxes, start.config.seed)
    words = data_words(listing, own, sets, data.uncertain, data.boxes)
    return Prepared(sets, words, limit_words(own), data.boxes)


def fitted(config: TrainingConfig, films: int, boxes: Boxes, processes: int = 1) -> TrainingConfig:
    """A recipe that fits the data: no batch larger than the set, places learnt from where they are to be.

    Args:
        config: The recipe.
        films: To learn from.
        boxes: What places are for.
        processes: That share each batch.

    Raises:
        UsageError: Places have a weight and are not to be learnt from (code `training-config`).
    """
    if config.objective.boxes and boxes is not Boxes.LEARN:
        raise UsageError(
            "objective.boxes is above 0, and places are not to be learnt from",
            code="training-config",
            next_step="Give --boxes learn.",
        )
    step = 2 * processes
    weight = config.objective.boxes or 1.0
    objective = replace(config.objective, boxes=weight if boxes is Boxes.LEARN else 0.0)
    return replace(config, batch=max(step, min(config.batch, films) // step * step), objective=objective)


def train_own(
    name: str,
    prepared: Prepared,
    start: Start,
    folder: Path,
    *,
    licence: str,
    command: str,
    team: Team,
    report: Callable[[EpochRecord], None] = lambda _: None,
) -> ModelCard | None:
    """Trains, calibrates, measures and saves.

    Args:
        name: The model's name.
        prepared: The data.
        start: What it goes on from, and the run.
        folder: Where checkpoints and, last, the model go.
        licence: Of the data; empty where nobody said.
        command: The recorded command.
        team: The processes of the run.
        report: Called after each epoch, in the first process.

    Returns:
        The card, as written; None in all processes but the first.
    """
    provenance = Provenance(
        data=" ".join(part for part in (prepared.data, start.words) if part),
        licence=". ".join(part for part in ((licence or NOT_STATED).rstrip("."), start.licence) if part),
        command=command,
        limits=prepared.limits,
    )
    return train_started(
        name,
        prepared.sets,
        fitted(start.config, len(prepared.sets.train), prepared.boxes, team.size),
        folder,
        provenance=provenance,
        recipe=start.recipe,
        network=start.network,
        network_findings=start.card.finding_names if start.card else (),
        team=team,
        report=report,
    )


def keep_model(folder: Path, name: str, *, replaced: bool) -> ModelCard:
    """Puts a finished model among the user's own, under a name.

    Args:
        folder: Of the model.
        name: Under which `--model` finds it.
        replaced: Whether a model of that name may be replaced.

    Returns:
        Its card under that name.

    Raises:
        UsageError: The name cannot be used (`model-name`).
    """
    target = new_model_folder(name, replace=replaced)
    model = load_folder(folder)
    return save_model(target, model.network, replace(model.card, name=name), model.gate)


def _check(own: OwnFilms, listed: int, *, wanted: bool) -> None:
    missing = sum(count for code, count in own.left_out.items() if code != LATERAL)
    if missing > MOST_LEFT_OUT * listed:
        told = ", ".join(f"{count} {code}" for code, count in sorted(own.left_out.items()))
        raise UsageError(
            f"of {listed} films most cannot be used: {told}",
            code="empty-cohort",
            next_step="Check that the films lie where the table says.",
        )
    if wanted and not own.placed:
        raise UsageError(
            "no place that is marked belongs to a film and one of its findings",
            code="training-config",
            next_step="Give --places with boxes or masks of these films and findings, or leave --boxes out.",
        )
