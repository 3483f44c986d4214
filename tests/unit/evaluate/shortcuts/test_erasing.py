from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import ttest_ind

from medcam.core.errors import InvalidValueError
from medcam.evaluate.shortcuts.erasing import ErasedFilms, beyond, judge_erasing
from medcam.evaluate.shortcuts.record import Place
from medcam.evaluate.shortcuts.rule import RULE, Basis, Severity

PATIENTS = [str(number) for number in range(40)]


CALLED = np.arange(len(PATIENTS)) % 2 == 0


def films(
    change, control, *, patients=PATIENTS, spread=1.0, finding="Nodule", without=60, labels=None, there=True
) -> ErasedFilms:
    """Films with the place, and others of other patients without it; `there` may be False for some of the first."""
    kept = np.broadcast_to(there, len(change))
    pad, size = np.zeros(without), len(change) + without
    return ErasedFilms(
        finding,
        Place.MARKER,
        [*patients, *(f"other {number}" for number in range(without))],
        there=np.concatenate([kept, pad > 0]),
        change=np.concatenate([np.where(kept, change, 0.0), pad]),
        control=np.concatenate([np.where(kept, control, 0.0), pad]),
        turned=np.zeros(size, dtype=bool),
        called=np.concatenate([CALLED, pad > 0]),
        labels=np.full(size, -1) if labels is None else labels,
        spread=spread,
    )


def noise(seed: int, size: float = 0.1) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.0, size, len(PATIENTS))


def test_a_marker_that_the_score_hangs_on_is_told_with_its_size():
    [row] = judge_erasing([films(noise(0) - 1.2, noise(1), spread=2.0)])

    assert row.severity is Severity.MODERATE
    assert row.told
    assert row.effect.low < -0.6 < row.effect.high
    assert row.change.value == pytest.approx(2.0 * (row.effect.value) + row.control.value)


def test_one_that_matters_no_more_than_elsewhere_is_not_told():
    level, elsewhere = judge_erasing([films(noise(0), noise(1)), films(noise(2) - 0.9, noise(3) - 0.9)])

    assert level.severity is elsewhere.severity is Severity.NONE
    assert "< 0.3 SD" in level.reason


def test_a_control_that_takes_evidence_away_makes_no_shortcut():
    # Erasing the place does nothing, erasing the finding itself a lot: the excess alone would be large.
    [row] = judge_erasing([films(noise(0), noise(1) - 1.5)])

    assert row.effect.value > 1.0
    assert row.severity is Severity.NONE


def test_a_place_that_speaks_against_the_finding_is_told_too():
    [row] = judge_erasing([films(noise(0) + 1.0, noise(1))])

    assert row.severity is Severity.HIGH


def test_of_a_place_on_all_films_a_common_shift_is_none_and_one_that_sets_films_apart_is_told():
    shift = films(noise(0) - 1.0, noise(1), without=0)
    apart = films(noise(2) - np.where(CALLED, 1.0, 0.0), noise(3), without=0)

    even, betrayed = judge_erasing([shift, apart])

    assert even.everywhere
    assert even.basis is betrayed.basis is Basis.CALL
    assert not even.told
    assert betrayed.severity is Severity.HIGH
    assert betrayed.effect.low < -1.0 < betrayed.effect.high


def test_with_labels_calls_are_not_used_for_they_select_by_what_the_place_adds():
    # What the place adds is chance, and the calls follow it; the labels know nothing of it.
    added = noise(4, 1.0)
    labels = np.random.default_rng(9).permutation(np.arange(40) % 2)
    called = replace(films(-added, noise(1), without=0), called=added > 0.0)

    [selected] = judge_erasing([called])
    [labelled] = judge_erasing([replace(called, labels=labels)])

    assert selected.told
    assert labelled.basis is Basis.LABEL
    assert not labelled.told


def test_a_thing_that_betrays_is_told_among_things_of_its_kind_that_do_nothing():
    # One film in four with print has the word that counts; it stands by the finding alone.
    word = np.arange(40) % 4 == 0
    labels = np.concatenate([np.where(word, 1, 0), np.zeros(60)]).astype(int)
    row = films(noise(0) - np.where(word, 1.2, 0.0), noise(1), labels=labels)

    [without] = judge_erasing([replace(row, labels=np.full(100, -1))])
    [found] = judge_erasing([row])

    assert without.basis is Basis.PLACE
    assert not without.told
    assert (found.basis, found.severity) == (Basis.LABEL, Severity.HIGH)
    assert found.effect.low < -1.2 < found.effect.high
    assert found.change == without.change


def test_a_model_that_leans_on_a_thing_which_betrays_nothing_here_is_told_all_the_same():
    labels = np.random.default_rng(9).permutation(np.arange(100) % 2)
    [row] = judge_erasing([films(noise(0) - 1.0, noise(1), labels=labels)])

    assert (row.basis, row.severity) == (Basis.PLACE, Severity.HIGH)


def test_a_finding_of_too_few_patients_is_judged_by_calls_as_without_labels():
    labels = np.where(np.arange(40) < 3, 1, 0)
    [row] = judge_erasing([films(noise(0) - np.where(CALLED, 1.0, 0.0), noise(1), without=0, labels=labels)])

    assert (row.basis, row.severity) == (Basis.CALL, Severity.HIGH)


def test_a_place_on_too_few_films_is_not_judged_however_many_have_labels():
    labels = np.arange(100) % 2
    [row] = judge_erasing([films(noise(0) - 2.0, noise(1), labels=labels, there=np.arange(40) < 9)])

    assert (row.severity, row.p, row.films) == (Severity.UNKNOWN, None, 9)


def test_two_samples_are_compared_as_welch_does():
    rng = np.random.default_rng(8)
    one, two = rng.normal(1.0, 1.0, 20), rng.normal(0.0, 3.0, 35)

    assert beyond(0.0, one, two) == pytest.approx(ttest_ind(one, two, equal_var=False).pvalue / 2)


def test_few_patients_are_not_judged_however_many_films():
    [row] = judge_erasing([films(noise(0) - 2.0, noise(1), patients=["a", "b"] * 20)])

    assert row.severity is Severity.UNKNOWN
    assert row.p is None
    assert "2 patients" in row.reason


def test_effects_within_the_smallest_are_told_in_five_per_cent_or_less():
    # True means at the edge of what does not count, the hardest case.
    rng = np.random.default_rng(5)
    p_values = [beyond(RULE.smallest, rng.normal(RULE.smallest, 0.5, 30)) for _ in range(2000)]

    assert 0.035 < np.mean(np.array(p_values) <= 0.05) < 0.065


def test_pure_nulls_over_many_findings_are_never_far_from_none():
    rng = np.random.default_rng(6)
    told, labels = [], np.arange(100) % 2
    for _ in range(60):
        rows = [films(rng.normal(0, 0.5, 40), rng.normal(0, 0.5, 40), finding=str(n), labels=labels) for n in range(8)]
        told.append(any(row.told for row in judge_erasing(rows)))

    assert np.mean(told) <= 0.05


def test_values_without_spread_are_judged_by_their_size_alone():
    assert beyond(0.2, np.full(10, -0.3)) == 0.0
    assert beyond(0.2, np.full(10, 0.1)) == 1.0


@pytest.mark.parametrize("broken", [{"patients": PATIENTS[:3]}, {"spread": 0.0}, {"there": False}])
def test_what_cannot_be_judged_is_refused(broken):
    with pytest.raises(InvalidValueError):
        judge_erasing([films(noise(0), noise(1), **broken)])
