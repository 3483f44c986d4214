"""Agreement against scikit-learn, against examples worked by hand, and against what must always hold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from medcam.core.errors import InvalidValueError
from medcam.evaluate.agreement import krippendorff_alpha, mean_figure, pair_agreement, share_figure
from medcam.evaluate.agreement_figure import DRAWS, Doubt, Figure, figure_of_sums, group_sums, nothing

ANSWERS = st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 6)), min_size=1, max_size=40)


def spread(both: int, first: int, second: int, neither: int) -> tuple[list[bool], list[bool]]:
    """Answers of two judges with these counts."""
    one = [True] * (both + first) + [False] * (second + neither)
    other = [True] * both + [False] * first + [True] * second + [False] * neither
    return one, other


def agreement(*counts: int):
    one, other = spread(*counts)
    return pair_agreement(one, other, range(len(one)))


@settings(max_examples=100, deadline=None)
@given(ANSWERS)
def test_kappa_is_scikit_learns_where_it_is_defined(answers: list[tuple[bool, bool, int]]) -> None:
    one, other, patients = zip(*answers, strict=True)
    found = pair_agreement(one, other, patients)

    if len({*one, *other}) == 1:
        assert (found.kappa.value, found.kappa.doubt) == (None, Doubt.ONE_CATEGORY)
    else:
        assert found.kappa.value == pytest.approx(cohen_kappa_score(one, other))
    assert found.percent.value == pytest.approx(np.mean(np.equal(one, other)))
    assert found.adjusted.value == pytest.approx(2 * np.mean(np.equal(one, other)) - 1)
    assert found.cases == len(answers)
    assert found.groups == len(set(patients))


@settings(max_examples=50, deadline=None)
@given(ANSWERS)
def test_who_comes_first_and_what_is_called_present_change_nothing(answers: list[tuple[bool, bool, int]]) -> None:
    one, other, patients = (np.array(column) for column in zip(*answers, strict=True))
    found = pair_agreement(one, other, patients)

    for turned in (pair_agreement(other, one, patients), pair_agreement(~one, ~other, patients)):
        assert turned.kappa.value == pytest.approx(found.kappa.value)
        assert turned.percent == found.percent


def test_kappa_by_hand() -> None:
    found = agreement(20, 5, 10, 15)  # 0.7 observed; 0.5 * 0.6 + 0.5 * 0.4 = 0.5 expected

    assert found.kappa.value == pytest.approx(0.4)
    assert found.percent.value == pytest.approx(0.7)
    assert found.adjusted.value == pytest.approx(0.4)
    assert (found.both, found.first_only, found.second_only, found.neither) == (20, 5, 10, 15)


def test_a_rare_finding_has_a_low_kappa_and_a_high_adjusted_figure() -> None:
    found = agreement(1, 4, 4, 91)

    assert found.kappa.value == pytest.approx((0.92 - 0.905) / 0.095)
    assert found.adjusted.value == pytest.approx(0.84)


def test_the_interval_of_kappa_is_near_that_of_the_delta_method() -> None:
    found = agreement(80, 20, 30, 70).kappa
    observed, expected, n = 0.75, 0.5, 200  # one side half present: Fleiss, Cohen and Everitt's error is near this
    error = np.sqrt(observed * (1 - observed) / (n * (1 - expected) ** 2))

    assert found.value == pytest.approx(0.5)
    assert found.low == pytest.approx(0.5 - 1.96 * error, abs=0.03)
    assert found.high == pytest.approx(0.5 + 1.96 * error, abs=0.03)


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    rng, held, runs = np.random.default_rng(3), 0, 200
    for run in range(runs):
        truth = rng.random(80) < 0.5
        flipped = truth ^ (rng.random(80) < 0.2)  # kappa of the population: (0.8 - 0.5) / 0.5
        found = pair_agreement(truth, flipped, np.arange(80), seed=run).kappa
        held += found.low <= 0.6 <= found.high

    assert 0.88 <= held / runs <= 0.99


def test_films_of_one_patient_are_no_news() -> None:
    one, other = spread(20, 5, 10, 15)
    alone = pair_agreement(one, other, range(50)).kappa
    copied = pair_agreement(one * 8, other * 8, list(range(50)) * 8).kappa

    assert copied.value == pytest.approx(alone.value)
    assert (copied.low, copied.high) == (pytest.approx(alone.low), pytest.approx(alone.high))
    assert (copied.cases, copied.groups) == (400, 50)


def test_the_interval_comes_of_the_seed_alone() -> None:
    one, other = spread(20, 5, 10, 15)
    first = pair_agreement(one, other, range(50), seed=1)

    assert first == pair_agreement(one, other, range(50), seed=1)
    assert first.kappa != pair_agreement(one, other, range(50), seed=2).kappa


@pytest.mark.parametrize(
    ("counts", "value", "doubt"),
    [
        ((0, 0, 0, 40), None, Doubt.ONE_CATEGORY),
        ((0, 10, 0, 30), 0.0, Doubt.ONE_SIDED),
        ((3, 1, 1, 4), pytest.approx(0.55), Doubt.FEW),
        ((20, 0, 0, 20), 1.0, Doubt.NO_SPREAD),
        ((1, 0, 0, 39), 1.0, Doubt.UNSTABLE),
    ],
)
def test_a_kappa_that_says_little_says_why(counts, value, doubt) -> None:
    found = agreement(*counts).kappa

    assert (found.value, found.low, found.high, found.doubt) == (value, None, None, doubt)


def test_full_agreement_has_an_interval_of_the_share() -> None:
    found = agreement(20, 0, 0, 20)

    assert found.percent.low == pytest.approx(40 / (40 + 1.96**2))  # Wilson at 40 of 40
    assert found.percent.high == 1.0
    assert found.adjusted.low == pytest.approx(2 * found.percent.low - 1)


def test_nothing_compared_is_nothing() -> None:
    found = pair_agreement([], [], [])

    assert found.kappa == found.percent == found.adjusted == nothing()
    assert krippendorff_alpha([1, 2], [True, False], [1, 2]) == nothing()
    assert mean_figure([], []) == nothing()


def test_alpha_of_krippendorffs_example() -> None:
    # Krippendorff 2011, A: two observers, ten units, nominal, binary: alpha = 0.095.
    meg = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0]
    owen = [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    found = krippendorff_alpha(list(range(10)) * 2, np.array(meg + owen, bool), list(range(10)) * 2)

    assert found.value == pytest.approx(0.095, abs=5e-4)
    assert found.cases == 10


def test_alpha_passes_over_units_that_one_has_judged() -> None:
    units, answers = [1, 1, 2, 2, 3, 3, 4], [True, True, False, False, True, False, True]
    found = krippendorff_alpha(units, answers, units)

    # Three units, three answers of each kind: 1 - 2 * (6 - 1) / (2 * 3 * 3)
    assert found.value == pytest.approx(1 - 10 / 18)
    assert (found.cases, found.groups) == (3, 3)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.booleans(), min_size=1, max_size=5), min_size=1, max_size=12))
def test_alpha_is_that_of_all_pairs_counted_one_by_one(units: list[list[bool]]) -> None:
    flat = [(number, answer) for number, answers in enumerate(units) for answer in answers]
    numbers, answers = zip(*flat, strict=True)
    paired = [unit for unit in units if len(unit) > 1]
    values = [value for unit in paired for value in unit]
    found = krippendorff_alpha(numbers, answers, numbers)
    if len(set(values)) < 2:
        assert found.value is None
        return
    observed = sum(
        (a != b) / (len(unit) - 1) for unit in paired for i, a in enumerate(unit) for j, b in enumerate(unit) if i != j
    ) / len(values)
    expected = sum(a != b for i, a in enumerate(values) for j, b in enumerate(values) if i != j)
    assert found.value == pytest.approx(1 - observed / (expected / (len(values) * (len(values) - 1))))


def test_means_and_shares_have_intervals_over_patients() -> None:
    values = np.linspace(0.0, 1.0, 60)
    found = mean_figure(values, np.arange(60))
    error = values.std() / np.sqrt(60)

    assert found.value == pytest.approx(0.5)
    assert found.low == pytest.approx(0.5 - 1.96 * error, abs=0.02)
    assert share_figure([True] * 12, range(12)).low == pytest.approx(12 / (12 + 1.96**2))
    assert share_figure([False] * 12, range(12)).low == 0.0


def test_drawing_patterns_is_drawing_patients() -> None:
    rng = np.random.default_rng(0)
    parts, patients = rng.integers(0, 2, (60, 2)), rng.integers(0, 30, 60)
    found = figure_of_sums(parts, patients, lambda sums: sums[:, 0] - sums[:, 1], undefined=Doubt.NO_CASES)
    sums = group_sums(parts, patients)
    drawn = [sums[rng.integers(len(sums), size=len(sums))].sum(axis=0) for _ in range(4 * DRAWS)]
    low, high = np.percentile([one - other for one, other in drawn], [2.5, 97.5])

    assert found.low == pytest.approx(low, abs=1.5)
    assert found.high == pytest.approx(high, abs=1.5)


def test_a_figure_cannot_be_half_there() -> None:
    for values in ((None, None, None), (None, 0.1, 0.2), (0.5, 0.1, None), (0.5, 0.6, 0.7)):
        with pytest.raises(InvalidValueError):
            Figure(*values, cases=3, groups=3)
    assert Figure(0.5, 0.4, 0.6, 40, 29).small
    assert not Figure(0.5, 0.4, 0.6, 40, 30).small


@pytest.mark.parametrize("call", [pair_agreement, krippendorff_alpha])
def test_what_does_not_belong_together_is_refused(call) -> None:
    with pytest.raises(InvalidValueError):
        call([1, 0, 1], [True, False], [1, 2])
    with pytest.raises(InvalidValueError):
        group_sums([[1.0], [2.0]], [1])
