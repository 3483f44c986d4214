import numpy as np
import pytest
from scipy.stats import ttest_ind

from medcam.core.errors import InvalidValueError
from medcam.evaluate.shortcuts.association import ScoredFilms, difference_by_attribute, judge_associations
from medcam.evaluate.shortcuts.rule import Severity

FILMS = 120
RNG = np.random.default_rng(2)
LABELS = (RNG.random(FILMS) < 0.4).astype(int)
PATIENTS = [str(number) for number in range(FILMS)]
NOISE = RNG.normal(size=FILMS)


def scored(logits, values, *, labels=LABELS, patients=PATIENTS) -> ScoredFilms:
    return ScoredFilms("Nodule", "view", logits, list(values), labels, patients)


def view_by(chance: np.ndarray) -> np.ndarray:
    return np.where(np.random.default_rng(7).random(FILMS) < chance, "AP", "PA")


def test_a_score_that_follows_the_view_is_told():
    views = view_by(np.full(FILMS, 0.5))

    [row] = judge_associations([scored(NOISE + 1.5 * (views == "AP") + 2 * LABELS, views)])

    assert row.told
    assert row.adjusted
    assert row.difference.low < 1.5 < row.difference.high
    assert row.contrast in ("AP against PA", "PA against AP")


def test_what_the_label_explains_is_not_told_once_the_label_is_held_fixed():
    # AP films have the finding far more often, the score follows the finding alone.
    views = view_by(np.where(LABELS == 1, 0.85, 0.15))
    logits = NOISE + 3.0 * LABELS

    [held] = judge_associations([scored(logits, views)])
    [loose] = judge_associations([scored(logits, views, labels=None)])

    assert loose.told
    assert not held.told
    assert held.adjusted
    assert not loose.adjusted


def test_age_is_told_per_ten_years():
    ages = np.random.default_rng(8).uniform(20, 90, FILMS)

    [row] = judge_associations([scored(NOISE + 0.05 * ages, ages.tolist())])

    assert row.contrast == "per 10 years"
    assert row.difference.low < 0.5 < row.difference.high
    assert row.effect.value == pytest.approx(0.05 * ages.std(), rel=0.3)


def test_few_films_at_a_level_are_not_judged_and_one_level_is_no_attribute():
    views = np.array(["PA"] * FILMS)
    assert judge_associations([scored(NOISE, views)]) == ()
    views[:4] = "AP"

    [row] = judge_associations([scored(NOISE, views)])

    assert row.severity is Severity.UNKNOWN
    assert row.p is None


def test_an_attribute_that_is_the_label_cannot_be_told_from_it():
    [row] = judge_associations([scored(NOISE, np.where(LABELS == 1, "AP", "PA"))])

    assert row.severity is Severity.UNKNOWN
    assert "label" in row.reason


def test_films_that_do_not_say_are_left_out():
    views = view_by(np.full(FILMS, 0.5)).astype(object)
    views[:20] = None
    labels = LABELS.copy()
    labels[20:30] = -1

    [row] = judge_associations([scored(NOISE, views, labels=labels)])

    assert row.films == FILMS - 30


def test_without_clusters_and_label_the_difference_is_that_of_the_means_and_p_near_welchs():
    side = (np.arange(FILMS) % 2).astype(float)
    logits = NOISE * (1 + side) + 0.3 * side

    value, error, _, freedom = difference_by_attribute(
        logits, np.column_stack([np.ones(FILMS), side]), np.arange(FILMS)
    )
    welch = ttest_ind(logits[side == 1], logits[side == 0], equal_var=False)

    assert value == pytest.approx(logits[side == 1].mean() - logits[side == 0].mean())
    assert value / error == pytest.approx(welch.statistic, rel=0.02)
    assert freedom == FILMS - 1


def test_films_of_one_patient_count_as_one_look_at_the_patient():
    side = np.repeat(np.arange(30) % 2, 4).astype(float)
    logits = np.repeat(np.random.default_rng(4).normal(size=30), 4)
    design = np.column_stack([np.ones(120), side])

    _, together, _, _ = difference_by_attribute(logits, design, np.repeat(np.arange(30), 4))
    _, apart, _, _ = difference_by_attribute(logits, design, np.arange(120))

    assert together == pytest.approx(2.0 * apart, rel=0.05)


def test_nulls_give_the_stated_rate_of_false_alarms_with_films_of_one_patient_alike():
    rng = np.random.default_rng(9)
    groups, alarms = np.repeat(np.arange(40), 3), []
    for _ in range(600):
        attribute = np.repeat(rng.random(40) < 0.4, 3).astype(float)
        label = (rng.random(120) < 0.5).astype(float)
        logits = 2.0 * label + np.repeat(rng.normal(size=40), 3) + rng.normal(size=120)
        fit = difference_by_attribute(logits, np.column_stack([np.ones(120), label, attribute]), groups)
        alarms.append(abs(fit[0]) > 2.023 * fit[1])  # t of 39 degrees of freedom, 5 %

    # 600 draws: two standard errors of 5 % are 1.8 %; the jackknife is known to be a little careful.
    assert 0.025 < np.mean(alarms) < 0.07


def test_columns_of_different_lengths_are_refused():
    with pytest.raises(InvalidValueError):
        judge_associations([scored(NOISE, ["PA"])])
