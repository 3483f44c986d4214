"""Training as a use case: films -> trained classifier -> calibrated, measured, carded model folder."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch

from medcam.core.card import InputRecipe, ModelCard
from medcam.core.errors import UsageError
from medcam.evaluate.curves import line_charts
from medcam.models.classifier import GapClassifier
from medcam.models.registry import load_model
from medcam.models.training.config import TrainingConfig
from medcam.models.training.films import Films
from medcam.models.training.inherit import inherit
from medcam.models.training.loop import EpochRecord, Trainer
from medcam.models.training.losses import MapParameters
from medcam.models.training.network import new_classifier
from medcam.models.training.processes import Team, alone
from medcam.service.explanations.finding_codes import finding_cards
from medcam.service.training.finish_model import finish_model


@dataclass(frozen=True, eq=False)
class TrainingSets:
    """Films for the three things that need their own patients.

    Args:
        train: To learn from.
        validation: To stop and choose by.
        calibration: For thresholds, probabilities, region rules and the figures on the card.
    """

    train: Films
    validation: Films
    calibration: Films


@dataclass(frozen=True, slots=True)
class Provenance:
    """What a card says about where a model comes from: its data, their licence, the recorded command.

    Args:
        data: What it was trained on.
        licence: Under which terms.
        command: The recorded command.
        limits: What must be borne in mind.
    """

    data: str
    licence: str
    command: str
    limits: tuple[str, ...] = ()


def split_sets(films: Films, seed: int) -> TrainingSets:
    """Splits one set by patient: 70 % to learn from, 15 % to choose by, 15 % to calibrate and measure on."""
    rest, calibration = films.split(0.15, seed)
    train, validation = rest.split(0.15 / 0.85, seed + 1)
    return TrainingSets(train, validation, calibration)


def train_model(
    name: str,
    sets: TrainingSets,
    config: TrainingConfig,
    folder: Path,
    *,
    provenance: Provenance,
    start_from: str | Path | None = None,
    intensity: str = "percentile",
    report: Callable[[EpochRecord], None] = lambda _: None,
) -> ModelCard:
    """Trains a GAP classifier and writes a model folder that `load_model` reads.

    Args:
        name: The model's name.
        sets: The films.
        config: The run.
        folder: Where checkpoint, history, curves and, last, the model go. A killed run resumes here.
        provenance: What the card says about it.
        start_from: A model whose weights are taken over wherever name and shape agree; never those of its head, which
            belong to its findings.
        intensity: Recipe by which the films were prepared, see `medcam.models.preprocess`.
        report: Called after each epoch.

    Returns:
        The card, as written.
    """
    check_run(sets, config)
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(config.seed)
    classifier = new_classifier(config, len(sets.train.names))
    if start_from is not None:
        take_over(classifier, load_model(start_from).network)
    height, width = sets.train.images.shape[1:]
    recipe = InputRecipe(height, width, intensity=intensity)
    trainer = Trainer(classifier, sets.train, sets.validation, config, folder)
    card = _blank_card(name, sets, config, classifier, provenance, recipe)
    learn(trainer, report)
    return finish_model(classifier.cpu(), trainer.parameters.cpu(), card, sets.train, sets.calibration, folder)


def train_started(
    name: str,
    sets: TrainingSets,
    config: TrainingConfig,
    folder: Path,
    *,
    provenance: Provenance,
    recipe: InputRecipe,
    network: GapClassifier | None = None,
    network_findings: tuple[str, ...] = (),
    team: Team | None = None,
    report: Callable[[EpochRecord], None] = lambda _: None,
) -> ModelCard | None:
    """Trains on one's own films, perhaps on from another network, perhaps by several processes.

    The validation films also set probabilities, thresholds and the gate; all of the calibration films measure.

    Args:
        name: The model's name.
        sets: The films.
        config: The run; of the architecture of `network`.
        folder: As for `train_model`.
        provenance: What the card says.
        recipe: How the films were prepared.
        network: What to go on from; None for random weights.
        network_findings: Its findings.
        team: The processes of the run; None for this one alone.
        report: Called after each epoch, in the first process.

    Returns:
        The card, as written; None in all processes but the first.

    Raises:
        UsageError: The sets or the configuration cannot be trained with, or the network is of another architecture.
    """
    check_run(sets, config)
    team = team or alone()
    classifier = new_classifier(config, len(sets.train.names))
    parameters = MapParameters.of(classifier, len(sets.train.names))
    if network is not None:
        inherit(classifier, parameters, sets.train.names, network, network_findings)
    if team.first:
        folder.mkdir(parents=True, exist_ok=True)
    team.wait()
    trainer = Trainer(
        classifier, sets.train, sets.validation, config, folder, parameters=parameters, recipe=recipe, team=team
    )
    card = _blank_card(name, sets, config, classifier, provenance, recipe)
    learn(trainer, report)
    if not team.first:
        return None
    films = (sets.train, sets.calibration)
    return finish_model(classifier.cpu(), trainer.parameters.cpu(), card, *films, folder, setting=sets.validation)


def check_run(sets: TrainingSets, config: TrainingConfig) -> None:
    """Makes sure that sets and configuration can be trained with.

    Raises:
        UsageError: The sets name different findings, or class weights cannot be negative (code `training-config`).
    """
    if sets.train.names != sets.calibration.names or sets.train.names != sets.validation.names:
        raise UsageError("the sets name different findings")
    if config.head_options.get("nonnegative"):
        raise UsageError(
            "non-negative class weights cannot take a calibration",
            code="training-config",
            next_step="Leave `nonnegative` out of head_options.",
        )


def learn(trainer: Trainer, report: Callable[[EpochRecord], None]) -> None:
    """Trains, and keeps history, curves and configuration in the run's folder."""
    names = trainer.train_films.names

    def keep(record: EpochRecord) -> None:
        write_history(trainer.folder, names, trainer.history)
        report(record)

    trainer.run(keep)
    if trainer.team.first:
        write_history(trainer.folder, names, trainer.history)
        (trainer.folder / "config.json").write_text(json.dumps(trainer.config.as_dict(), indent=1))


def take_over(classifier: GapClassifier, other: GapClassifier) -> int:
    """Copies weights wherever name and shape agree, except the head's; returns how many tensors were copied.

    Raises:
        UsageError: Nothing agrees: the networks are of different kinds (code `training-start`).
    """
    own, given = classifier.state_dict(), other.state_dict()
    taken = {
        name: value
        for name, value in given.items()
        if name in own and own[name].shape == value.shape and not name.startswith("head.")
    }
    if not taken:
        raise UsageError(
            "the two networks have no layer in common",
            code="training-start",
            next_step="Give --config the backbone of the model to start from.",
        )
    classifier.load_state_dict(own | taken)
    return len(taken)


def _blank_card(
    name: str,
    sets: TrainingSets,
    config: TrainingConfig,
    classifier: GapClassifier,
    provenance: Provenance,
    recipe: InputRecipe,
) -> ModelCard:
    return ModelCard(
        name=name,
        version=datetime.now(UTC).strftime("%Y.%m.%d"),
        findings=finding_cards(sets.train.names),
        input=recipe,
        backbone=config.backbone,
        backbone_options=dict(config.backbone_options) | {"head": dict(config.head_options)},
        head=str(config.head_options.get("head", config.head)),
        layer=classifier.layer,
        training_data=provenance.data,
        training_licence=provenance.licence,
        training_command=provenance.command,
        limits=provenance.limits,
    )


def write_history(folder: Path, names: tuple[str, ...], history: list[EpochRecord]) -> None:
    """Writes `history.json` and `curves.svg`: loss terms, and AUC, pointing and IoU per finding."""
    rows = [
        {
            "epoch": record.epoch + 1,
            "loss": record.loss,
            "auc": dict(zip(names, record.validation.auc, strict=True)),
            "pointing": dict(zip(names, record.validation.pointing, strict=True)),
            "iou": dict(zip(names, record.validation.iou, strict=True)),
            "score": record.validation.score,
            "seconds": round(record.seconds, 1),
        }
        for record in history
    ]
    text = json.dumps(rows, indent=1, default=float).replace("NaN", "null")
    (folder / "history.json").write_text(text)
    charts = {"loss": {term: [record.loss.get(term, np.nan) for record in history] for term in history[0].loss}}
    for figure in ("auc", "pointing", "iou"):
        lines = {name: [getattr(r.validation, figure)[place] for r in history] for place, name in enumerate(names)}
        charts[figure] = lines
    (folder / "curves.svg").write_text(line_charts(charts))
