"""A model that was never trained on some findings, to try whether its features find them all the same.

Films with one of these findings are left out of training, validation and calibration alike: the network has not seen
them, not even as films that lack something else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from medcam.core.errors import UsageError
from medcam.models.cards import read_card_file
from medcam.models.known import CARD
from medcam.models.loaded import LoadedModel
from medcam.models.registry import load_model
from medcam.models.training.films import Films
from medcam.phantom import FINDINGS
from medcam.service.training.phantom_films import PhantomFilms, phantom_films
from medcam.service.training.recipes import PHANTOM_RECIPE
from medcam.service.training.train import Provenance, TrainingSets, train_model
from medcam.service.training.training_sets import CALIBRATION_SEED, TRAIN_SEED, VALIDATION_SEED

HELD_OUT = ("Support Devices", "Pneumothorax")
"""A thing that is no disease, and a disease that makes a film darker where all others make it denser."""


@dataclass(frozen=True, slots=True)
class HeldOutPlan:
    """How the model without some findings is trained.

    Args:
        findings: What it never sees.
        patients: Phantom patients to learn from, before films with these findings are left out.
        size: Side of its input in pixels.
        epochs: Passes over the films.
        seed: Of its weights and of the order of films.
    """

    findings: tuple[str, ...] = HELD_OUT
    patients: int = 1500
    size: int = 128
    epochs: int = 16
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.findings or set(self.findings) - set(FINDINGS) or len(self.findings) >= len(FINDINGS):
            raise UsageError(f"some findings of the phantom must be held out, and some kept: {', '.join(FINDINGS)}")
        if self.size < 32 or self.size % 32 or min(self.patients, self.epochs) < 1:
            raise UsageError("a model is trained on phantoms, in epochs, at a side that 32 divides")


def without_findings(films: Films, findings: Sequence[str]) -> Films:
    """The films that have none of these findings, and the columns of the others."""
    columns = [place for place, name in enumerate(films.names) if name not in findings]
    held = [place for place, name in enumerate(films.names) if name in findings]
    kept = films.subset(np.flatnonzero(~(films.labels[:, held] == 1).any(axis=1)))
    return replace(
        kept,
        names=tuple(kept.names[place] for place in columns),
        labels=kept.labels[:, columns],
        masks=None if kept.masks is None else kept.masks[:, columns],
        grades=None if kept.grades is None else kept.grades[:, columns],
    )


def held_out_model(plan: HeldOutPlan, folder: Path, *, workers: int = 1, threads: int = 1) -> LoadedModel:
    """Trains the model, or takes it from the folder where an earlier call left it.

    Args:
        plan: What is held out, and the budget.
        folder: Where films, checkpoints and the model are kept; a killed run goes on where it was. One folder per plan.
        workers: Processes that render.
        threads: CPU threads that train.
    """
    named = f"without-{'-'.join(name.split()[0].lower() for name in plan.findings)}"
    home = folder / f"{named}-{plan.patients}-{plan.size}-{plan.epochs}-{plan.seed}"
    if (home / CARD).is_file() and read_card_file(home).weights_sha256:
        return load_model(home)
    sets = TrainingSets(
        train=_films(plan, TRAIN_SEED, plan.patients, folder, workers, learn=True),
        validation=_films(plan, VALIDATION_SEED, max(16, plan.patients // 8), folder, workers),
        calibration=_films(plan, CALIBRATION_SEED, max(24, plan.patients // 4), folder, workers),
    )
    recipe = replace(PHANTOM_RECIPE, epochs=plan.epochs, seed=plan.seed, threads=threads)
    data = f"{len(sets.train)} films, synthetic phantoms in matched pairs, none with {' or '.join(plan.findings)}"
    command = "medcam experiments"
    train_model(named, sets, recipe, home, provenance=Provenance(data, "CC0-1.0", command))
    return load_model(home)


def _films(plan: HeldOutPlan, seed: int, count: int, folder: Path, workers: int, *, learn: bool = False) -> Films:
    masks = 0 if learn else plan.size // 2
    wanted = PhantomFilms(seed, count, plan.size, (2 * plan.size,), pairs=learn, mask_size=masks)
    films = phantom_films(wanted, folder / f"films-{seed}-{count}-{plan.size}", workers=workers)
    return without_findings(films, plan.findings)
