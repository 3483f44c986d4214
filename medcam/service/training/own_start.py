"""From which model a training on one's own films goes on: its network, its input, its licence."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from medcam.core.card import NO_HEAD, InputRecipe, ModelCard
from medcam.core.errors import UsageError
from medcam.models.cards import find_model
from medcam.models.classifier import GapClassifier
from medcam.models.files import load_folder
from medcam.models.training.config import TrainingConfig

SIDE = 320
"""Of the input where no model says otherwise."""
GENTLER = 0.25
"""Share of the recipe's learning rate with which a trained network goes on. Chosen by convention, not measured."""


@dataclass(frozen=True, eq=False)
class Start:
    """What a run starts from.

    Args:
        config: The run, with the network of the model that it goes on from.
        recipe: How films are prepared.
        network: That model's network; None for random weights.
        card: Its card.
    """

    config: TrainingConfig
    recipe: InputRecipe
    network: GapClassifier | None = field(default=None, repr=False)
    card: ModelCard | None = field(default=None, repr=False)

    @property
    def words(self) -> str:
        """Where the weights came from, for the card."""
        card = self.card
        return "" if card is None else f"Started from {card.name} {card.version}, SHA-256 {card.weights_sha256}."

    @property
    def licence(self) -> str:
        """The terms of what it was started from, for the card."""
        if self.card is None:
            return ""
        terms = self.card.weights_licence or self.card.training_licence or "not stated"
        return f"The model that it was started from: {terms.rstrip('.')}"


def fresh_start(config: TrainingConfig, size: int) -> Start:
    """Random weights."""
    return Start(config, InputRecipe(size or SIDE, size or SIDE))


def start_from(model: str | Path, config: TrainingConfig, size: int, *, chosen_rate: bool) -> Start:
    """Goes on from an installed model.

    Args:
        model: A name that `load_model` knows, without probes, or the path of a model folder.
        config: The recipe; network and head become those of the model.
        size: Side of the input in pixels; 0 for the model's own.
        chosen_rate: Whether somebody chose the learning rate; else it is made gentler.

    Raises:
        ModelError: There is no such model, or it is damaged.
        UsageError: It has no pooling head, or more channels than a film (code `training-start`).
    """
    loaded = load_folder(find_model(model))
    card = loaded.card
    if card.head == NO_HEAD or card.input.channels != 1:
        raise UsageError(
            f"{card.name} cannot be gone on from: it has no pooling head, or more than one channel",
            code="training-start",
            next_step="Start from a model whose card names a pooling head and one channel, such as `phantom`.",
        )
    options: dict[str, Any] = dict(card.backbone_options)
    head: dict[str, Any] = dict(options.pop("head", {}))
    config = replace(
        config,
        backbone=card.backbone,
        backbone_options=options,
        head=str(head.pop("head", card.head)),
        head_options=head,
        learning_rate=config.learning_rate * (1.0 if chosen_rate else GENTLER),
    )
    recipe = replace(card.input, height=size, width=size) if size else card.input
    return Start(config, recipe, loaded.network, card)
