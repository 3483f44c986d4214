"""Films of a run: three sets that share no patient."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from same_process import SameProcess

from medcam.core.errors import UsageError
from medcam.models.training.films import Films
from medcam.phantom import FINDINGS
from medcam.service.training import phantom_films as rendering
from medcam.service.training import training_sets as module
from medcam.service.training.phantom_films import PhantomFilms
from medcam.service.training.train import TrainingSets, split_sets
from medcam.service.training.training_sets import PhantomSets, phantom_sets

SETS = ("train", "validation", "calibration")


def patients_of(sets: TrainingSets) -> dict[str, set[int]]:
    return {name: set(getattr(sets, name).patients.tolist()) for name in SETS}


def share_nobody(sets: TrainingSets) -> bool:
    people = patients_of(sets)
    return not any(people[one] & people[two] for one in SETS for two in SETS if one < two)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Phantoms of 128 px, rendered in this process."""
    monkeypatch.setattr(rendering, "ProcessPoolExecutor", SameProcess)
    monkeypatch.setattr(module, "PhantomFilms", partial(PhantomFilms, render_sizes=(128,)))


@pytest.mark.usefixtures("small")
def test_phantoms_come_in_three_sets_of_their_own(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    plan = PhantomSets(train=6, validation=3, calibration=4, size=64)
    sets = phantom_sets(plan, tmp_path, report=lambda *step: told.append(step))
    assert share_nobody(sets)
    assert {name: len(people) for name, people in patients_of(sets).items()} == {
        "train": 6,
        "validation": 3,
        "calibration": 4,
    }
    assert told == [("train", 6, 6), ("validation", 3, 3), ("calibration", 4, 4)]
    assert sets.train.names == sets.validation.names == sets.calibration.names == FINDINGS
    # Pairs are for learning alone, and where a finding lies is for everything but learning.
    assert (sets.train.partners >= 0).any()
    assert sets.train.masks is None
    for measured in (sets.validation, sets.calibration):
        assert (measured.partners == -1).all()
        assert measured.masks is not None
    told.clear()
    again = phantom_sets(plan, tmp_path, report=lambda *step: told.append(step))
    assert told == []
    np.testing.assert_array_equal(again.train.images, sets.train.images)


def test_the_command_for_measuring_names_a_seed_that_no_set_has() -> None:
    seeds = {module.TRAIN_SEED, module.VALIDATION_SEED, module.CALIBRATION_SEED}
    assert len(seeds) == 3
    assert 404 not in seeds


def films(people: int) -> Films:
    numbers = np.repeat(np.arange(people), 2)
    return Films(
        names=("Nodule",),
        images=np.zeros((2 * people, 4, 4), dtype=np.float16),
        labels=np.zeros((2 * people, 1), dtype=np.int8),
        patients=numbers.astype(np.int64),
        partners=np.full(2 * people, -1, dtype=np.int64),
    )


def test_a_split_depends_on_its_seed_alone() -> None:
    one, again, other = (patients_of(split_sets(films(40), seed)) for seed in (1, 1, 2))
    assert one == again != other


def test_seventy_of_a_hundred_patients_are_for_learning() -> None:
    assert {name: len(people) for name, people in patients_of(split_sets(films(100), 0)).items()} == {
        "train": 70,
        "validation": 15,
        "calibration": 15,
    }


@pytest.mark.parametrize("people", [1, 2, 3])
def test_too_few_patients_are_refused(people: int) -> None:
    with pytest.raises(UsageError):
        split_sets(films(people), 0)


def test_films_of_one_patient_say_how_to_tell_patients_apart() -> None:
    ones = np.zeros(3, dtype=np.int64)
    images = np.zeros((3, 2, 2), dtype=np.float16)
    films = Films(("x",), images, np.zeros((3, 1), dtype=np.int8), ones, ones - 1)

    with pytest.raises(UsageError, match="films are of 1 patients") as refused:
        films.split(0.15, 0)

    assert "--patient-pattern" in refused.value.next_step
