"""The films of a training run on phantoms, rendered once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from medcam.service.training.phantom_films import PhantomFilms, phantom_films
from medcam.service.training.train import TrainingSets

TRAIN_SEED, VALIDATION_SEED, CALIBRATION_SEED = 101, 202, 303
"""Phantom seeds that the shipped model has seen; measure it on others."""

Report = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class PhantomSets:
    """How many phantoms a run gets: patients to learn from (matched pairs), to choose by, and to calibrate with."""

    train: int = 8000
    validation: int = 600
    calibration: int = 1500
    size: int = 320


def phantom_sets(
    plan: PhantomSets, folder: Path, *, workers: int = 1, report: Report = lambda *_: None
) -> TrainingSets:
    """Renders the films of a run into a folder, where a killed run finds them again.

    Args:
        plan: How many.
        folder: Where they are kept.
        workers: Processes.
        report: Called with (set, done, in all).
    """
    plans = {
        "train": PhantomFilms(TRAIN_SEED, plan.train, plan.size, mask_size=0),
        "validation": PhantomFilms(VALIDATION_SEED, plan.validation, plan.size, pairs=False),
        "calibration": PhantomFilms(CALIBRATION_SEED, plan.calibration, plan.size, pairs=False),
    }
    films = {}
    for name, films_plan in plans.items():

        def progress(done: int, count: int, name: str = name) -> None:
            report(name, done, count)

        films[name] = phantom_films(films_plan, folder / name, workers=workers, progress=progress)
    return TrainingSets(**films)
