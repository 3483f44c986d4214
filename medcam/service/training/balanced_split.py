"""A split by patient in which every part has its share of every finding, as far as patients allow."""

from __future__ import annotations

import numpy as np

from medcam.models.training.films import Films

TRIES = 64
"""Random splits of which the most even one is taken."""


def balanced_split(films: Films, fraction: float, seed: int) -> tuple[Films, Films]:
    """Splits by patient into (rest, held back): of `TRIES` random splits the one that shares out findings best.

    Only labels are looked at, never an output: the choice says nothing of how well anything will do.

    Args:
        films: To be split.
        fraction: Share of the patients that is held back.
        seed: Of the first try; the others follow.

    Raises:
        UsageError: There are too few patients to split.
    """
    seeds = [int(value) for value in np.random.SeedSequence(seed).generate_state(TRIES)]
    best = min(seeds, key=lambda one: _unevenness(films, films.split(fraction, one)[1], fraction))
    return films.split(fraction, best)


def _unevenness(films: Films, held: Films, fraction: float) -> float:
    """Largest relative distance from the share that is due, over both labels of all findings."""
    due = np.array([(films.labels == label).sum(axis=0) for label in (0, 1)]) * fraction
    there = np.array([(held.labels == label).sum(axis=0) for label in (0, 1)])
    return float((np.abs(there - due) / np.maximum(due, 1.0)).max())
