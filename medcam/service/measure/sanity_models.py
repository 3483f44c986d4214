"""Small networks for sanity checks: two that differ in seed alone, and one that learnt shuffled labels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from medcam.models.cards import read_card_file
from medcam.models.known import CARD
from medcam.models.training.films import Films
from medcam.service.training.phantom_films import PhantomFilms, phantom_films
from medcam.service.training.small_network import small_network
from medcam.service.training.train import Provenance, train_model
from medcam.service.training.train import TrainingSets as Sets

_SEED = 8200


@dataclass(frozen=True, slots=True)
class SanityPlan:
    """How they are trained.

    Args:
        patients: Phantoms to learn from, the same for all three.
        size: Side of the input in pixels.
        epochs: Passes over the films.
    """

    patients: int = 600
    size: int = 64
    epochs: int = 12


def sanity_models(plan: SanityPlan, folder: Path, *, workers: int = 1) -> tuple[Path, Path, Path]:
    """Folders of the models: first, one from another seed, and one whose labels were shuffled among the films.

    As in Arun et al. (2021) the second learns from the same films: start and order of the films are all that differs.

    Args:
        plan: How.
        folder: Where films and models are kept; what is finished is taken as it is.
        workers: Processes that render.
    """
    home = folder / f"{plan.patients}-{plan.size}-{plan.epochs}"
    sets = _sets(plan, home, workers)
    return (
        _trained("first", sets, plan, 0, home),
        _trained("other-seed", sets, plan, 1, home),
        _trained("shuffled", _shuffled(sets), plan, 0, home),
    )


def _sets(plan: SanityPlan, home: Path, workers: int) -> Sets:
    few = max(24, plan.patients // 5)

    def films(part: int, count: int) -> Films:
        phantoms = PhantomFilms(
            _SEED + part, count, plan.size, (2 * plan.size,), 0.25, pairs=False, mask_size=plan.size
        )
        return phantom_films(phantoms, home / f"films-0-{part}", workers=workers)

    return Sets(films(1, plan.patients), films(2, few), films(3, few))


def _shuffled(sets: Sets) -> Sets:
    """Whole rows of labels change films, in each set alone: what goes together stays together."""

    def mixed(films: Films, seed: int) -> Films:
        order = np.random.default_rng(seed).permutation(len(films.labels))
        return replace(films, labels=films.labels[order], masks=None, grades=None)

    return Sets(mixed(sets.train, 1), mixed(sets.validation, 2), mixed(sets.calibration, 3))


def _trained(name: str, sets: Sets, plan: SanityPlan, seed: int, home: Path) -> Path:
    place = home / name
    if (place / CARD).is_file() and read_card_file(place).weights_sha256:
        return place
    config = small_network(epochs=plan.epochs, seed=seed, threads=1)
    data = f"{plan.patients} synthetic phantoms" + (", their labels shuffled on purpose" if name == "shuffled" else "")
    train_model(
        f"sanity-{name}",
        sets,
        config,
        place,
        provenance=Provenance(data, "CC0-1.0", "medcam experiments --only sanity"),
    )
    return place
