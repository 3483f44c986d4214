import numpy as np
import pytest
from scipy.stats import spearmanr

from medcam.core.errors import InvalidValueError
from medcam.evaluate.agreement_figure import Doubt, Figure
from medcam.evaluate.patient_mean import patient_mean, patient_slope
from medcam.evaluate.sanity.record import Verdict
from medcam.evaluate.sanity.rule import answers_alike, threshold, unrelated_similarity, verdict
from medcam.evaluate.sanity.similarity import MEASURES, hog_correlation, spearman, ssim


@pytest.fixture
def maps():
    return np.random.default_rng(5).normal(size=(6, 32, 32))


@pytest.mark.parametrize("measure", MEASURES)
def test_a_map_is_like_itself_whatever_its_scale_and_unlike_noise(maps, measure):
    alike = MEASURES[measure]

    assert alike(maps[0], 3.0 * maps[0] + 2.0) == pytest.approx(1.0)
    assert abs(alike(maps[0], maps[1])) < 0.4
    assert alike(maps[0], np.full((32, 32), 7.0)) == 0.0, "a map that is the same everywhere is like none"


def test_ranks_are_scipys(maps):
    rounded = np.round(maps, 1)

    expected = spearmanr(rounded[0].ravel(), (rounded[0] + maps[1]).ravel()).statistic

    assert spearman(rounded[0], rounded[0] + maps[1]) == pytest.approx(expected)
    assert spearman(maps[0], -maps[0]) == pytest.approx(-1.0)


def test_gradients_see_edges_and_structure_sees_contrast(maps):
    bars = np.repeat(np.tile([0.0, 0.0, 1.0, 1.0], 8)[None], 32, axis=0)

    assert hog_correlation(bars, bars.T) < 0.2
    assert ssim(bars, bars.T) < 0.3
    with pytest.raises(InvalidValueError):
        spearman(maps[0], maps[0, :16])


def test_the_null_is_the_mean_over_all_pairs_where_they_are_few(maps):
    pairs = [spearman(maps[a], maps[b]) for a in range(6) for b in range(a)]

    assert unrelated_similarity(maps, "spearman") == pytest.approx(np.mean(pairs))
    with pytest.raises(InvalidValueError):
        unrelated_similarity(maps[:1], "spearman")


def test_thresholds_follow_from_unrelated_films():
    assert threshold("lose", 0.3) == pytest.approx(0.37)
    assert threshold("keep", 0.3) == pytest.approx(0.65)


@pytest.mark.parametrize(
    ("must", "low", "high", "expected"),
    [
        ("lose", 0.1, 0.2, Verdict.PASSED),
        ("lose", 0.4, 0.5, Verdict.FAILED),
        ("lose", 0.2, 0.5, Verdict.UNDECIDED),
        ("keep", 0.4, 0.5, Verdict.PASSED),
        ("keep", 0.1, 0.2, Verdict.FAILED),
        ("keep", None, None, Verdict.UNDECIDED),
    ],
)
def test_an_interval_that_holds_the_threshold_decides_nothing(must, low, high, expected):
    value = 0.3 if low is None else (low + high) / 2.0
    doubt = Doubt.FEW if low is None else None

    assert verdict(must, Figure(value, low, high, 20, 20, doubt), 0.3) is expected


def test_maps_that_are_the_same_throughout_need_no_interval():
    assert verdict("keep", Figure(1.0, None, None, 20, 20, Doubt.NO_SPREAD), 0.6) is Verdict.PASSED
    assert verdict("lose", Figure(1.0, None, None, 20, 20, Doubt.NO_SPREAD), 0.6) is Verdict.FAILED
    assert verdict("keep", Figure(None, None, None, 0, 0, Doubt.NO_CASES), 0.6) is Verdict.UNDECIDED


def test_means_and_slopes_over_patients():
    patients = [str(number // 2) for number in range(40)]
    x = np.random.default_rng(0).normal(size=40)

    mean = patient_mean([*x[:-1], np.nan], patients)
    slope = patient_slope(x.tolist(), (0.7 * x).tolist(), patients)

    assert mean.value == pytest.approx(x[:-1].mean())
    assert mean.low < mean.value < mean.high
    assert (mean.cases, mean.groups) == (39, 20)
    assert slope.value == pytest.approx(0.7)
    assert patient_mean([np.nan], ["a"]).value is None
    assert patient_slope([], [], []).value is None


def test_answers_are_alike_whatever_each_findings_level_and_the_scale():
    rng = np.random.default_rng(3)
    logits = rng.normal(size=(40, 3))
    noise = rng.normal(size=(40, 3))
    level = np.array([9.0, 0.0, -9.0])

    assert answers_alike(logits, 2.0 * logits + level) == pytest.approx(1.0)
    assert answers_alike(logits, -logits) == pytest.approx(-1.0)
    assert abs(answers_alike(logits + level, noise + level)) < 0.3
    assert answers_alike(logits, np.ones((40, 3))) == 0.0
    centred = [(one - one.mean(axis=0)).ravel() for one in (logits, logits + noise)]
    assert answers_alike(logits, logits + noise) == pytest.approx(np.corrcoef(*centred)[0, 1])


@pytest.mark.parametrize("other", [np.ones((4, 2)), np.ones((3, 3)), np.ones(4)])
def test_answers_of_other_films_or_findings_are_refused(other):
    with pytest.raises(InvalidValueError):
        answers_alike(np.ones((4, 3)), other)
