"""Where the results of several models lie: OUT/<model>, each a results folder, and OUT/models.json to list them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from medcam.core.card import ModelCard
from medcam.core.codes import slug
from medcam.core.errors import InputError, UsageError
from medcam.core.explanation import RESEARCH_USE
from medcam.service.annotate.manifest import MANIFEST_NAME, Manifest
from medcam.service.atomic import write_text

INDEX_NAME = "models.json"
SCHEMA_VERSION = "1.0"
_SHORT = 8


def folder_names(cards: Sequence[ModelCard]) -> tuple[str, ...]:
    """A folder's name for each model: its name; with its version, then its weights, where names are the same.

    Raises:
        UsageError: Two are the same model (code `same-model-twice`).
    """
    if len({(card.name, card.version, card.weights_sha256) for card in cards}) < len(cards):
        raise UsageError(
            "two of the models are the same one",
            code="same-model-twice",
            next_step="Name each model once.",
        )
    named = [slug(card.name) for card in cards]
    versioned = [f"{name}-{slug(card.version)}" for name, card in zip(named, cards, strict=True)]
    digested = [f"{name}-{card.weights_sha256[:_SHORT]}" for name, card in zip(versioned, cards, strict=True)]
    return tuple(
        next(name for name, all_names in ((a, named), (b, versioned), (c, digested)) if all_names.count(name) == 1)
        for a, b, c in zip(named, versioned, digested, strict=True)
    )


def write_index(out: Path, manifests: dict[str, Manifest]) -> None:
    """Writes OUT/models.json, after every model's manifest: its presence means that the whole run is complete.

    Args:
        out: The run's output folder.
        manifests: By folder.

    Raises:
        OSError: The disk refuses it.
    """
    models = [{"folder": name, **_summary(manifest)} for name, manifest in manifests.items()]
    content = {"schema_version": SCHEMA_VERSION, "notice": RESEARCH_USE, "models": models}
    write_text(out / INDEX_NAME, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def _summary(manifest: Manifest) -> dict[str, Any]:
    record = manifest.to_dict()
    return {name: record[name] for name in ("model", "counts", "flagged", "started", "finished")}


def model_folders(out: Path) -> tuple[Path, ...]:
    """The results folders of a run of several models; empty where this is no such run's output.

    Raises:
        InputError: models.json cannot be read (code `unreadable`).
    """
    if not (out / INDEX_NAME).is_file():
        return ()
    try:
        content = json.loads((out / INDEX_NAME).read_text(encoding="utf-8"))
        # A name alone: a folder that somebody handed over must not lead elsewhere.
        return tuple(out / Path(str(model["folder"])).name for model in content["models"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"{INDEX_NAME} cannot be read ({type(error).__name__})", code="unreadable") from error


def refuse_several(folder: Path) -> None:
    """Refuses the output of several models where that of one is wanted.

    Raises:
        UsageError: It is such a folder (code `several-models`).
    """
    found = model_folders(folder)
    if found:
        raise UsageError(
            f"{folder.name} holds the results of several models",
            code="several-models",
            next_step=f"Name the folder of one of them: {', '.join(str(path) for path in found)}",
        )


def refuse_one(folder: Path) -> None:
    """Refuses the output of one model where that of several goes: their lists of refused inputs would be mixed.

    Raises:
        UsageError: It is such a folder (code `one-model`).
    """
    if (folder / MANIFEST_NAME).is_file() or next(folder.glob("*/*/explanation.json"), None) is not None:
        raise one_model(folder.name)


def one_model(name: str) -> UsageError:
    """The error for a place that holds the results of one model, by its name."""
    return UsageError(
        f"{name} holds the results of one model",
        code="one-model",
        next_step="Name another folder for a run of several models.",
    )
