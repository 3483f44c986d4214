"""Training recipes that were measured: the shipped model's own, and what to start from with one's own films."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from medcam.core.errors import InvalidValueError, UsageError
from medcam.models.training.config import Augmentation, Extent, Objective, TrainingConfig

Part = TypeVar("Part", TrainingConfig, Objective, Augmentation)

PHANTOM_EXTENTS = {
    "Cardiomegaly": Extent(0.08, 0.25),
    "Pleural Effusion": Extent(0.012, 0.15),
    "Pneumothorax": Extent(0.003, 0.05, darker=True),
    "Consolidation": Extent(0.006, 0.07),
    "Nodule": Extent(0.0005, 0.008),
    "Mass": Extent(0.005, 0.05),
    "Atelectasis": Extent(0.001, 0.05),
    "Support Devices": Extent(0.006, 0.12),
}
"""Shares of a film, from the sizes in mm and ml at which the phantom's findings are stated."""

NETWORK: dict[str, Any] = {"stride": 4, "neck": 32, "layers": [1, 1, 1, 1], "block_inplanes": [16, 48, 64, 96]}

PHANTOM_RECIPE = TrainingConfig(
    backbone="resnet",
    backbone_options=NETWORK,
    head_options={"finding_units": True},
    objective=Objective(positives=0.5, extents=PHANTOM_EXTENTS),
    epochs=18,
    batch=16,
)
"""The shipped model's recipe; see docs/explanation/localisation.md for what each ingredient is worth."""

FOLDER_RECIPE = replace(PHANTOM_RECIPE, objective=Objective(positive_weight=None), epochs=30, patience=8)
"""For a folder of films: extents at their wide default, positives weighted by prevalence, early stopping."""


def configured(recipe: TrainingConfig, path: Path | None) -> TrainingConfig:
    """A recipe with the fields of a JSON file in the place of its own.

    Args:
        recipe: What to start from.
        path: A JSON object with any fields of `TrainingConfig`; `objective` and `augmentation` are merged field
            by field, while options of backbone and head, which fit one kind only, take the place of the recipe's.
            `objective.extents` maps findings to {"smallest": ..., "largest": ..., "darker": ...}. None changes nothing.

    Raises:
        UsageError: The file cannot be read, or a field is unknown or invalid (code `training-config`).
    """
    if path is None:
        return recipe
    try:
        fields: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        objective = dict(fields.pop("objective", {}))
        if "extents" in objective:
            own = {name: Extent(**extent) for name, extent in objective["extents"].items()}
            objective["extents"] = {**recipe.objective.extents, **own}
        augmentation = dict(fields.pop("augmentation", {}))
        if "gamma" in augmentation:
            low, high = (float(end) for end in augmentation["gamma"])
            augmentation["gamma"] = (low, high)
        return _changed(
            recipe,
            fields
            | {
                "objective": _changed(recipe.objective, objective),
                "augmentation": _changed(recipe.augmentation, augmentation),
            },
        )
    except (OSError, ValueError, TypeError, AttributeError, InvalidValueError) as error:
        raise UsageError(
            f"{path.name} is not a training configuration",
            code="training-config",
            next_step="Start from what `medcam train --show-config` prints.",
        ) from error


def _changed(value: Part, fields: dict[str, Any]) -> Part:
    """A part of a recipe with some fields replaced; a TypeError where one is unknown or of another kind."""
    kinds = get_type_hints(type(value))
    for name, new in fields.items():
        if name not in kinds or not _is_a(new, kinds[name]):
            raise TypeError(f"{name} cannot be {new!r}")
    return replace(value, **fields)


def _is_a(value: object, kind: object) -> bool:
    """Whether a value fits a type hint, as far as JSON goes: a whole number stands for a fraction."""
    members = get_args(kind) if isinstance(kind, UnionType) else (kind,)
    classes = [get_origin(member) or member for member in members]
    if float in classes:
        classes.append(int)
    return isinstance(value, tuple(classes)) and (bool in classes or not isinstance(value, bool))
