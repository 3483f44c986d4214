"""Figures, FROC curves and tuned fractions from scores of places, against trying every threshold and by hand."""

import math

import numpy as np
import pytest

from medcam.core.errors import UsageError
from medcam.evaluate.agreement_figure import Doubt
from medcam.evaluate.froc import RATES, froc
from medcam.evaluate.place_figures import place_figures
from medcam.evaluate.place_scores import (
    FRACTIONS,
    PAPER,
    Candidate,
    PlaceScore,
)
from medcam.evaluate.tuning import choose_fraction, for_tuning


def made(patient, candidates, lesions, true=10, hit=True, common=5):
    return PlaceScore("f", patient, 1000, true * bool(lesions), 10, common, 10, common, lesions, hit, 0.5, candidates)


def naive_froc(scores, rate):
    """The best share found at any threshold that keeps the false alarms within the rate."""
    thresholds = {candidate.score for score in scores for candidate in score.candidates} | {math.inf}
    best = 0.0
    for threshold in thresholds:
        found, false = 0, 0
        for one in scores:
            kept = [candidate for candidate in one.candidates if candidate.score >= threshold]
            found += len({lesion for candidate in kept for lesion in candidate.lesions})
            false += sum(not candidate.lesions for candidate in kept)
        if false / len(scores) <= rate:
            best = max(best, found / sum(one.lesions for one in scores))
    return best


def test_froc_is_what_trying_every_threshold_gives():
    rng = np.random.default_rng(4)
    for _ in range(20):
        scores = []
        for film in range(30):
            lesions = int(rng.integers(0, 4))
            candidates = tuple(
                Candidate(
                    float(rng.integers(0, 12)), (int(rng.integers(lesions)),) if lesions and rng.random() < 0.4 else ()
                )
                for _ in range(rng.integers(0, 8))
            )
            scores.append(made(f"patient{film // 2}", candidates, lesions))
        got = froc(scores)

        assert got is not None
        assert got.sensitivity == pytest.approx([naive_froc(scores, rate) for rate in RATES])
        assert got.mean.value == pytest.approx(np.mean(got.sensitivity))
        assert got.mean.low <= got.mean.value <= got.mean.high
        assert got.negatives == sum(not one.lesions for one in scores)


def test_froc_needs_a_true_place_and_ten_patients_for_an_interval():
    assert froc([made("a", (), 0)]) is None
    few = froc([made("a", (Candidate(1.0, (0,)),), 1)])
    assert few is not None
    assert (few.mean.value, few.mean.doubt) == (1.0, Doubt.FEW)


def test_figures_leave_out_what_chexlocalize_leaves_out():
    scores = [made(f"p{i}", (), 1, common=i % 10) for i in range(20)]
    blank = PlaceScore("f", "q", 1000, 0, 0, 0, 0, 0, 0, None, None, ())
    alarm = PlaceScore("f", "r", 1000, 0, 10, 0, 10, 0, 0, None, None, ())
    missed = PlaceScore("f", "s", 1000, 10, 0, 0, 0, 0, 1, False, None, ())
    ious = [one.iou for one in scores]

    figures = place_figures([*scores, blank, alarm, missed])

    assert (figures.films, figures.positives, figures.patients) == (23, 21, 21)
    assert figures.iou_both.value == pytest.approx(np.mean(ious))
    assert figures.iou.value == pytest.approx(np.sum(ious) / 21)
    assert figures.iou_either.value == pytest.approx(np.sum(ious) / 22)
    assert figures.hit_rate.value == pytest.approx(20 / 21)
    assert figures.error["0.3"].value == pytest.approx(np.mean([iou < 0.3 for iou in [*ious, 0.0]]))
    assert figures.error_iobb["0.25"].value == pytest.approx(
        np.mean([i % 10 / 10 < 0.25 for i in range(20)] + [1]), abs=0.05
    )
    assert figures.sizes["small"].iou.cases == 21
    assert figures.sizes["large"].iou.doubt is Doubt.NO_CASES
    assert figures.iou.low < figures.iou.value < figures.iou.high


def test_intervals_draw_patients_and_not_films():
    one_each = place_figures([made(f"p{i}", (), 1, common=i % 10) for i in range(100)])
    ten_each = place_figures([made(f"p{i % 10}", (), 1, common=i % 10) for i in range(100)])

    assert one_each.iou.value == ten_each.iou.value
    assert ten_each.iou.high - ten_each.iou.low > 2 * (one_each.iou.high - one_each.iou.low)


def test_patients_are_parted_by_digest_alone():
    patients = [f"patient{number}" for number in range(2000)]
    chosen = {patient for patient in patients if for_tuning(patient, 0.3, 0)}

    assert 0.26 < len(chosen) / 2000 < 0.34
    assert chosen == {patient for patient in reversed(patients) if for_tuning(patient, 0.3, 0)}
    assert chosen != {patient for patient in patients if for_tuning(patient, 0.3, 1)}
    assert not any(for_tuning(patient, 0.0, 0) for patient in patients)
    with pytest.raises(UsageError):
        for_tuning("a", 1.0, 0)


def test_the_best_fraction_is_chosen_where_there_are_patients_to_choose_on():
    curves = [np.linspace(0, 0.2, len(FRACTIONS)) for _ in range(6)]
    curves[0][4] += 3.0

    tuned = choose_fraction(curves, list("abcdef"))
    few = choose_fraction(curves, list("aabbcc"))

    assert (tuned.cut.fraction, tuned.chosen, tuned.patients) == (FRACTIONS[4], True, 6)
    assert (few.cut, few.chosen, few.patients) == (PAPER, False, 3)
