"""One's own films in the three sets of a training run, and the sentences about them that a model's card keeps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from enum import StrEnum

import numpy as np

from medcam.models.training.films import UNCERTAIN, UNKNOWN, Films
from medcam.service.training.balanced_split import balanced_split
from medcam.service.training.layouts.listing import Listing
from medcam.service.training.own_films import OwnFilms
from medcam.service.training.train import TrainingSets
from medcam.service.training.uncertain import Uncertain, decided

HELD_BACK = 0.15
"""Share of the patients for each of two things: to choose by, and to measure on."""


class Boxes(StrEnum):
    """What places of findings are for, where somebody marked them."""

    IGNORE = "ignore"
    """Nothing."""
    MEASURE = "measure"
    """Figures of localisation on held-out films; training, choice and thresholds do not see them."""
    LEARN = "learn"
    """Training too, and the rule that cuts regions out of a map: mixed supervision."""


def own_sets(own: OwnFilms, uncertain: Uncertain, boxes: Boxes, seed: int) -> TrainingSets:
    """Splits by patient: 70 % to learn from, 15 % to choose and set thresholds by, 15 % to measure on.

    Uncertain labels are decided for training alone: nothing is chosen or measured by what nobody was sure of.

    Args:
        own: The films.
        uncertain: What uncertain labels count as.
        boxes: What places are for.
        seed: Of the split.

    Raises:
        UsageError: There are too few patients.
    """
    rest, measuring = balanced_split(own.films, HELD_BACK, seed)
    train, validation = balanced_split(rest, HELD_BACK / (1.0 - HELD_BACK), seed + 1)
    train = replace(train, labels=decided(train.labels, uncertain))
    if boxes is not Boxes.LEARN:
        train, validation = replace(train, masks=None), replace(validation, masks=None)
    if boxes is Boxes.IGNORE:
        measuring = replace(measuring, masks=None)
    return TrainingSets(train, validation, measuring)


def data_words(listing: Listing, own: OwnFilms, sets: TrainingSets, uncertain: Uncertain, boxes: Boxes) -> str:
    """What the card says of the data: how many films and patients, labels, what was left out and decided."""
    films = own.films
    parts = [
        f"{_films(films)} in the layout {listing.layout}: {_films(sets.train)} to learn from, "
        f"{_films(sets.validation)} to choose and set thresholds by, {_films(sets.calibration)} to measure on.",
        f"Films with / without: {', '.join(_counts(films))}.",
    ]
    if (films.labels == UNCERTAIN).any():
        parts.append(f"Uncertain labels count as {uncertain} in training, and are left out elsewhere.")
    if own.left_out:
        parts.append(f"Left out: {_listed(own.left_out)}.")
    if own.placed and boxes is not Boxes.IGNORE:
        use = "to learn from and to measure by" if boxes is Boxes.LEARN else "to measure by alone"
        parts.append(f"Places were marked for {own.placed} findings, {use}.")
    return " ".join((*parts, *listing.notes))


def limit_words(own: OwnFilms) -> tuple[str, ...]:
    """What the card says must be borne in mind."""
    limits = ["Measured on films of the data set that it was trained on, of other patients: elsewhere it may do worse."]
    if own.untold:
        limits.append(
            f"Of {own.untold} films nobody says whose they are: each counts as a patient of its own, and films of one "
            "person may lie on both sides of the split."
        )
    return tuple(limits)


def _films(films: Films) -> str:
    return f"{len(films)} films of {len(np.unique(films.patients))} patients"


def _counts(films: Films) -> Iterable[str]:
    for column, name in enumerate(films.names):
        labels = films.labels[:, column]
        doubts = {"uncertain": int((labels == UNCERTAIN).sum()), "unknown": int((labels == UNKNOWN).sum())}
        rest = "".join(f", {count} {word}" for word, count in doubts.items() if count)
        yield f"{name} {(labels == 1).sum()} / {(labels == 0).sum()}{f' ({rest[2:]})' if rest else ''}"


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {code}" for code, count in sorted(counts.items()))
