"""Films of a comparison: what each set is for decides what it holds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from medcam.core.errors import UsageError
from medcam.service.comparison.films import TUNING_SEED, ComparisonFilms, ComparisonPlan


def test_no_set_shows_matched_pairs(films: ComparisonFilms) -> None:
    for each in (films.train, films.choice, films.tuning, films.test):
        assert (each.partners == -1).all()


def test_the_epoch_is_chosen_without_masks(films: ComparisonFilms) -> None:
    assert films.choice.masks is None
    assert films.tuning.masks is not None
    assert films.test.masks is not None


def test_no_film_is_in_two_sets(films: ComparisonFilms) -> None:
    sets = (films.train, films.choice, films.tuning, films.test)
    seen = [image.tobytes() for each in sets for image in each.images]
    assert len(set(seen)) == len(seen)


def test_a_patient_with_a_finding_also_comes_without_one(films: ComparisonFilms) -> None:
    _, counts = np.unique(films.train.patients, return_counts=True)
    assert set(counts) <= {1, 2}
    assert 2 in counts


def test_a_share_takes_whole_patients(films: ComparisonFilms) -> None:
    half = films.first(0.5)
    assert len(np.unique(half.train.patients)) == 6
    kept = np.isin(films.train.patients, half.train.patients)
    assert len(half.train) == kept.sum()
    assert half.test is films.test


@pytest.mark.parametrize("change", [{"patients": 0}, {"seeds": ()}, {"side": 50}, {"epochs": 0}])
def test_a_plan_that_compares_nothing_is_refused(plan: ComparisonPlan, change: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="needs films"):
        replace(plan, **change)


def test_films_that_rules_are_tuned_on_are_not_measured_on(plan: ComparisonPlan) -> None:
    with pytest.raises(UsageError, match="choose another test seed"):
        replace(plan, test_seed=TUNING_SEED)
