"""One arm of a comparison: a network trained by a recipe, and what it says of the films."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from medcam.models.training.config import Augmentation, Objective, TrainingConfig
from medcam.models.training.loop import Trainer
from medcam.models.training.network import new_classifier
from medcam.models.training.validation import predict_films
from medcam.service.comparison.figures import ArmFigures, Outputs, arm_figures, locate, tuned_rules
from medcam.service.comparison.films import ComparisonFilms, ComparisonPlan

LABELS_ALONE = Objective(positives=0.0, negatives=0.0, background=0.0, pairs=0.0)
"""Cross-entropy of the image-level logits, as in the paper."""

GENTLE = Augmentation(shift=0.04, turn=4.0, zoom=0.06, flip=0.0)
BACKBONE = {"layers": [1, 1, 1, 1], "block_inplanes": [16, 32, 64, 128]}


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
        return TrainingConfig(
            backbone="resnet",
            backbone_options={"stride": self.stride, **BACKBONE},
            head=self.head,
            objective=self.objective,
            augmentation=GENTLE,
            epochs=plan.epochs,
            batch=16,
            seed=seed,
            threads=threads,
        )


Produce = Callable[[ComparisonFilms, int, Path], tuple[Outputs, Outputs]]
"""From films, a seed and a folder to the outputs on the tuning and the test films."""


def trained(arm: Arm, plan: ComparisonPlan, threads: int) -> Produce:
    """Trains an arm's classifier for one seed."""

    def produce(films: ComparisonFilms, seed: int, folder: Path) -> tuple[Outputs, Outputs]:
        config = arm.config(plan, seed, threads)
        trainer = Trainer(new_classifier(config, len(films.train.names)), films.train, films.choice, config, folder)
        trainer.run()
        tuning, test = (
            predict_films(trainer.classifier, trainer.parameters, each) for each in (films.tuning, films.test)
        )
        return Outputs(*tuning), Outputs(*test)

    return produce


def measure_arm(
    produce: Produce, films: ComparisonFilms, plan: ComparisonPlan, folder: Path, report: Callable[[str], None]
) -> ArmFigures:
    """Figures of an arm over all seeds; finished runs are taken from the folder.

    Args:
        produce: How one run is made.
        films: The films.
        plan: The seeds.
        folder: Where runs are kept; one folder per arm, films and plan.
        report: Called with what has been done.
    """
    cases, logits = [], []
    for seed in plan.seeds:
        tuning, test = _outputs(produce, films, seed, folder / f"seed-{seed}")
        cases.append(locate(test, films.test, tuned_rules(tuning, films.tuning)))
        logits.append(test.logits)
        report(f"{folder.name}, seed {seed}")
    return arm_figures(cases, logits, films.test)


def _outputs(produce: Produce, films: ComparisonFilms, seed: int, folder: Path) -> tuple[Outputs, Outputs]:
    kept = folder / "outputs.npz"
    if not kept.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        tuning, test = produce(films, seed, folder)
        part = folder / f"outputs.{os.getpid()}.part.npz"
        np.savez_compressed(
            part,
            tuning_maps=tuning.maps.astype(np.float16),
            tuning_logits=tuning.logits,
            maps=test.maps.astype(np.float16),
            logits=test.logits,
        )
        part.replace(kept)
        for done in ("checkpoint.pt", "best.pt"):
            (folder / done).unlink(missing_ok=True)
    with np.load(kept) as arrays:
        maps = (arrays[name].astype(np.float32) for name in ("tuning_maps", "maps"))
        return Outputs(next(maps), arrays["tuning_logits"]), Outputs(next(maps), arrays["logits"])


def arm_folder(out: Path, name: str, plan: ComparisonPlan) -> Path:
    """A folder of its own for an arm under a plan, whatever seeds the plan has."""
    told = replace(plan, seeds=(0,))
    key = f"{told.patients}-{told.held}-{told.side}-{told.epochs}-{told.prevalence}-{told.test_seed}"
    return out / f"{json.dumps(name)[1:-1].replace(' ', '-').replace('/', '-')}-{key}"
