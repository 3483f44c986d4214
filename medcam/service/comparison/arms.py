"""One arm of a comparison: a network trained by a recipe, and what it says of the films."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Protocol

import numpy as np

from medcam.models.training.config import Objective, TrainingConfig
from medcam.models.training.loop import Trainer
from medcam.models.training.network import new_classifier
from medcam.models.training.validation import predict_films
from medcam.service.comparison.figures import Measured, Outputs, locate, tuned_rules
from medcam.service.comparison.films import ComparisonFilms, ComparisonPlan
from medcam.service.training.small_network import LABELS_ALONE, small_network
from medcam.service.workers import one_blas_thread

OUTPUTS = "outputs.npz"


@dataclass(frozen=True, slots=True)
class Arm:
    """How a network is trained.

    Args:
        name: As tables call it.
        head: Registry name of the pooling head.
        objective: What is learnt from.
        stride: Pixels per cell of the map.
    """

    name: str
    head: str = "gap"
    objective: Objective = LABELS_ALONE
    stride: int = 8

    def config(self, plan: ComparisonPlan, seed: int, threads: int) -> TrainingConfig:
        """The training run: the same for all arms but for head, objective and stride."""
        return small_network(
            epochs=plan.epochs,
            seed=seed,
            threads=threads,
            stride=self.stride,
            head=self.head,
            objective=self.objective,
        )


class Produce(Protocol):
    """From films, a seed and a folder to the outputs on the tuning and the test films; sent to other processes."""

    def __call__(self, films: ComparisonFilms, seed: int, folder: Path) -> tuple[Outputs, Outputs]:
        """Trains once."""
        ...


@dataclass(frozen=True, slots=True)
class Trained:
    """Trains an arm's classifier for one seed.

    Args:
        arm: The arm.
        plan: How much.
        threads: CPU threads; 0 leaves torch's own choice.
    """

    arm: Arm
    plan: ComparisonPlan
    threads: int

    def __call__(self, films: ComparisonFilms, seed: int, folder: Path) -> tuple[Outputs, Outputs]:
        """Trains once; a killed run goes on where it was."""
        config = self.arm.config(self.plan, seed, self.threads)
        trainer = Trainer(new_classifier(config, len(films.train.names)), films.train, films.choice, config, folder)
        trainer.run()
        tuning, test = (
            predict_films(trainer.classifier, trainer.parameters, each) for each in (films.tuning, films.test)
        )
        return Outputs(*tuning), Outputs(*test)


@dataclass(frozen=True, eq=False)
class ArmRuns:
    """The runs of one arm.

    Args:
        produce: How one is made.
        films: The films.
        plan: The seeds.
        folder: Where they are kept; one folder per arm, films and plan.
    """

    produce: Produce
    films: ComparisonFilms
    plan: ComparisonPlan
    folder: Path

    def missing(self) -> list[int]:
        """Seeds that have not been run."""
        return [seed for seed in self.plan.seeds if not (self.folder / f"seed-{seed}" / OUTPUTS).is_file()]

    def make(self, seed: int) -> str:
        """Makes the run of one seed and keeps its outputs; returns what was made."""
        home = self.folder / f"seed-{seed}"
        home.mkdir(parents=True, exist_ok=True)
        tuning, test = self.produce(self.films, seed, home)
        part = home / f"outputs.{os.getpid()}.part.npz"
        np.savez_compressed(
            part,
            tuning_maps=tuning.maps.astype(np.float16),
            tuning_logits=tuning.logits,
            maps=test.maps.astype(np.float16),
            logits=test.logits,
        )
        part.replace(home / OUTPUTS)
        for done in ("checkpoint.pt", "best.pt"):
            (home / done).unlink(missing_ok=True)
        return f"{self.folder.name}, seed {seed}"

    def measured(self) -> Measured:
        """What all runs gave on the test films; they must have been made."""
        cases, logits = [], []
        for seed in self.plan.seeds:
            with np.load(self.folder / f"seed-{seed}" / OUTPUTS) as arrays:
                tuning = Outputs(arrays["tuning_maps"].astype(np.float32), arrays["tuning_logits"])
                test = Outputs(arrays["maps"].astype(np.float32), arrays["logits"])
            cases.append(locate(test, self.films.test, tuned_rules(tuning, self.films.tuning)))
            logits.append(test.logits)
        return Measured(tuple(cases), tuple(logits))


def make_runs(arms: Sequence[ArmRuns], workers: int, report: Callable[[str], None]) -> None:
    """Makes all runs that are missing, several at once: small networks gain more by that than by threads.

    Args:
        arms: Whose.
        workers: Processes that train.
        report: Called after each run.
    """
    jobs = [(arm, seed) for arm in arms for seed in arm.missing()]
    if min(workers, len(jobs)) < 2:
        for arm, seed in jobs:
            report(arm.make(seed))
        return
    with ProcessPoolExecutor(
        min(workers, len(jobs)), mp_context=get_context("spawn"), initializer=one_blas_thread
    ) as pool:
        for made in as_completed([pool.submit(arm.make, seed) for arm, seed in jobs]):
            report(made.result())


def threads_each(workers: int, threads: int) -> int:
    """CPU threads of one run; 0 leaves torch's own choice."""
    return max(1, threads // workers) if workers > 1 else threads


def arm_folder(out: Path, name: str, plan: ComparisonPlan) -> Path:
    """A folder of its own for an arm under a plan, whatever seeds the plan has."""
    told = replace(plan, seeds=(0,))
    key = f"{told.patients}-{told.held}-{told.side}-{told.epochs}-{told.prevalence}-{told.test_seed}"
    return out / f"{json.dumps(name)[1:-1].replace(' ', '-').replace('/', '-')}-{key}"
