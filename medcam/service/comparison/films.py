"""The films of a comparison: rendered once, split by patient, findings frequent enough to count."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from medcam.core.errors import UsageError
from medcam.models.training.films import Films
from medcam.service.training.phantom_films import PhantomFilms, phantom_films

TRAIN_SEED, CHOICE_SEED, TUNING_SEED, TEST_SEED = 1111, 2222, 3333, 4444
"""Phantom seeds of a comparison; no other film of the project is made of them."""


@dataclass(frozen=True, slots=True)
class ComparisonPlan:
    """How much is compared.

    Args:
        patients: Phantoms to learn from; each with a finding also comes without one of them, as a film of its own.
        held: Phantoms for each of three things: choosing the epoch, tuning region rules, measuring.
        side: Side of the films in pixels.
        epochs: Passes over the films.
        seeds: Of weights, order and augmentation; each is a training run of every arm.
        prevalence: Of each finding.
        test_seed: Phantom seed of the films that are measured on.
    """

    patients: int = 900
    held: int = 250
    side: int = 128
    epochs: int = 16
    seeds: tuple[int, ...] = (0, 1, 2)
    prevalence: float = 0.25
    test_seed: int = TEST_SEED

    def __post_init__(self) -> None:
        if min(self.patients, self.held, self.epochs) < 1 or not self.seeds or self.side % 32:
            raise UsageError("a comparison needs films, epochs, a seed, and a side that 32 divides")
        if self.test_seed in (TRAIN_SEED, CHOICE_SEED, TUNING_SEED):
            raise UsageError("films that are learnt or tuned on cannot be measured on: choose another test seed")


@dataclass(frozen=True, eq=False)
class ComparisonFilms:
    """Films by what they are for.

    Args:
        train: To learn from, with masks for the arms that may see them.
        choice: To choose the epoch by, without masks: by AUC alone.
        tuning: To tune region rules on, with masks.
        test: To measure on, with masks.
    """

    train: Films
    choice: Films
    tuning: Films
    test: Films

    def first(self, share: float) -> ComparisonFilms:
        """The same with the first patients of the training set alone, rounded up."""
        patients = np.unique(self.train.patients)
        kept = patients[: int(np.ceil(share * len(patients)))]
        return replace(self, train=self.train.subset(np.flatnonzero(np.isin(self.train.patients, kept))))


def comparison_films(plan: ComparisonPlan, folder: Path, *, workers: int = 1) -> ComparisonFilms:
    """Renders the films of a plan, or takes those that an earlier call left.

    Partners are dropped: no arm learns from matched pairs as such, since the paper's did not.

    Args:
        plan: How many.
        folder: Where they are kept.
        workers: Processes that render.
    """

    def made(seed: int, count: int, *, pairs: bool) -> Films:
        wanted = PhantomFilms(seed, count, plan.side, (2 * plan.side,), plan.prevalence, pairs, plan.side)
        films = phantom_films(wanted, folder / f"{seed}-{count}-{plan.side}", workers=workers)
        return replace(films, partners=np.full(len(films), -1, dtype=np.int64))

    return ComparisonFilms(
        train=made(TRAIN_SEED, plan.patients, pairs=True),
        choice=replace(made(CHOICE_SEED, plan.held, pairs=False), masks=None),
        tuning=made(TUNING_SEED, plan.held, pairs=False),
        test=made(plan.test_seed, plan.held, pairs=False),
    )
