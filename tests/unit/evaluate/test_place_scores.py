"""Metrics of localisation against naive loops over the pixels of phantoms, and by hand where they can be counted."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from medcam.core.errors import InvalidValueError
from medcam.core.geometry import Box, GridTransform
from medcam.evaluate.formats.places import Place
from medcam.evaluate.formats.runs import Runs
from medcam.evaluate.heat import Floor, Heat, Shown, otsu
from medcam.evaluate.place_scores import (
    FRACTIONS,
    OTSU,
    OWN,
    PAPER,
    STEPS,
    Cut,
    average_precision,
    iou_by_fraction,
    score_place,
)
from medcam.phantom import render, sample_case

SIDE = 96


def phantoms():
    """Masks of findings of phantoms, each with a random map that has something to do with it."""
    rng = np.random.default_rng(8)
    for index in range(6):
        phantom = render(sample_case(31, index), SIDE)
        for finding in phantom.truths:
            mask = np.asarray(finding.mask)
            coarse = mask.reshape(12, mask.shape[0] // 12, 12, mask.shape[1] // 12).mean(axis=(1, 3))
            yield mask, (2.0 * coarse + rng.normal(0.0, 0.4, (12, 12))).astype(np.float32)


CASES = list(phantoms())


def naive(mask, region):
    """Counts pixels one by one: true, found, common."""
    counts = [0, 0, 0]
    for row in range(mask.shape[0]):
        for column in range(mask.shape[1]):
            counts[0] += bool(mask[row, column])
            counts[1] += bool(region[row, column])
            counts[2] += bool(mask[row, column]) and bool(region[row, column])
    return counts


def naive_parts(region):
    """8-connected parts by flooding, as sets of pixels."""
    left = {(int(row), int(column)) for row, column in np.argwhere(region)}
    while left:
        part, edge = set(), {left.pop()}
        while edge:
            part |= edge
            around = {(r + dr, c + dc) for r, c in edge for dr in (-1, 0, 1) for dc in (-1, 0, 1)}
            edge = around & left
            left -= edge
        yield part


def score(mask, heat, cut, **options):
    return score_place("film", "patient", Place(runs=(Runs.of(mask),)), Shown(heat=heat), mask.shape, cut, **options)


def test_there_are_phantoms_to_measure_on():
    assert len(CASES) >= 5


@pytest.mark.parametrize("floor", list(Floor))
@pytest.mark.parametrize("case", range(len(CASES)))
def test_overlap_peak_and_boxes_are_what_loops_count(case, floor):
    mask, values = CASES[case]
    transform = GridTransform.identity(*mask.shape).resize(12, 12)
    heat = Heat(values, transform, floor)
    full = heat.over(*mask.shape).values
    low = 0.0 if floor is Floor.ZERO else full.min()
    region = np.clip((full - low) / (full.max() - low), 0, 1).astype(np.float64) > 0.4
    true, found, common = naive(mask, region)
    boxes = np.zeros_like(region)
    for part in naive_parts(region):
        rows, columns = [r for r, _ in part], [c for _, c in part]
        boxes[min(rows) : max(rows) + 1, min(columns) : max(columns) + 1] = True
    _, box, box_common = naive(mask, boxes)
    best = max((float(full[r, c]), -r, -c) for r in range(full.shape[0]) for c in range(full.shape[1]))

    got = score(mask, heat, Cut("own", 0.4))

    assert (got.true, got.found, got.common) == (true, found, common)
    assert (got.box, got.box_common) == (box, box_common)
    assert got.iou == common / (true + found - common)
    assert got.dice == 2 * common / (true + found)
    assert got.iobb == box_common / box
    assert got.hit == bool(mask[-best[1], -best[2]])
    assert len(got.candidates) == len(list(naive_parts(region)))
    assert max(candidate.score for candidate in got.candidates) == best[0]


@pytest.mark.parametrize("case", range(len(CASES)))
def test_the_precision_recall_area_is_that_of_scikit_learn_on_the_same_levels(case):
    mask, values = CASES[case]
    surface = Heat(values).over(*mask.shape)
    scaled = (surface.values - surface.values.min()) / (surface.values.max() - surface.values.min())
    levels = np.minimum((scaled * STEPS).astype(int), STEPS - 1)

    assert average_precision(surface, mask) == pytest.approx(average_precision_score(mask.ravel(), levels.ravel()))
    assert average_precision(surface, mask) == pytest.approx(
        average_precision_score(mask.ravel(), surface.values.ravel()), abs=0.01
    )


def test_a_precision_recall_area_needs_truth():
    with pytest.raises(InvalidValueError):
        average_precision(Heat(np.ones((2, 2))).over(2, 2), np.zeros((2, 2), dtype=bool))


@pytest.mark.parametrize("case", range(len(CASES)))
def test_iou_at_every_fraction_is_that_of_the_cut(case):
    mask, values = CASES[case]
    heat = Heat(values, floor=Floor.MINIMUM)

    curve = iou_by_fraction(heat.over(*mask.shape), mask)

    assert curve.tolist() == [score(mask, heat, Cut("at", fraction)).iou for fraction in FRACTIONS]


def test_a_grid_over_the_whole_film_is_resampled_as_torch_does():
    torch = pytest.importorskip("torch")
    values = np.random.default_rng(1).normal(size=(5, 7)).astype(np.float32)
    theirs = torch.nn.functional.interpolate(
        torch.from_numpy(values)[None, None], size=(40, 31), mode="bilinear", align_corners=False
    )

    assert np.allclose(Heat(values).over(40, 31).values, theirs[0, 0].numpy(), atol=1e-5)


def test_otsus_threshold_is_that_of_opencv():
    cv2 = pytest.importorskip("cv2")
    for seed in range(5):
        rng = np.random.default_rng(seed)
        strength = np.clip(rng.normal(0.3, 0.1, (50, 50)) + 0.5 * (rng.random((50, 50)) < 0.3), 0, 1).astype(np.float32)
        grey = (strength * 255).astype(np.uint8)
        level, _ = cv2.threshold(grey, 0, 255, cv2.THRESH_OTSU)

        assert np.array_equal(strength > otsu(strength), grey > level)


def test_rules_cut_differently():
    values = np.zeros((10, 10), dtype=np.float32)
    values[1, 1], values[5:8, 5:8] = 1.0, 0.5
    mask = np.zeros((10, 10), dtype=bool)
    mask[5:8, 5:8] = True
    own = np.zeros((10, 10), dtype=bool)
    own[0, 0] = True
    truth = Place(runs=(Runs.of(mask),))
    shown = Shown(heat=Heat(values), region=lambda *_: own)

    found = {cut.name: score_place("f", "p", truth, shown, (10, 10), cut).found for cut in (PAPER, OTSU, OWN)}
    assert found == {"paper": 9, "otsu": 10, "model": 1}
    assert score_place("f", "p", truth, shown, (10, 10), Cut("high", 0.9)).found == 1


def test_nothing_shown_nothing_there_and_a_silent_model():
    mask = np.zeros((8, 8), dtype=bool)
    mask[2:4, 2:4] = True
    truth, heat = Place(runs=(Runs.of(mask),)), Heat(mask.astype(np.float32))
    nothing = score_place("f", "p", truth, None, (8, 8), PAPER)
    absent = score_place("f", "p", Place(), Shown(), (8, 8), PAPER)
    silent = score_place("f", "p", truth, Shown(heat=heat, present=False), (8, 8), PAPER, silent=True)
    flat = score_place("f", "p", truth, Shown(heat=Heat(np.zeros((4, 4)))), (8, 8), PAPER)

    assert (nothing.iou, nothing.hit, nothing.candidates) == (0.0, None, ())
    assert (absent.iou, absent.dice, absent.iobb, absent.hit) == (None, None, None, None)
    assert (silent.iou, silent.hit, silent.found) == (0.0, False, 0)
    assert (flat.found, flat.hit, flat.iobb) == (0, False, 0.0)


def test_boxes_without_a_map_point_at_their_middle():
    truth = Place((Box(2, 2, 4, 4),))
    shown = Shown(place=Place((Box(3, 3, 4, 4), Box(14, 14, 2, 2)), score=0.7))
    got = score_place("f", "p", truth, shown, (20, 20), PAPER)

    assert (got.common, got.found, got.hit) == (9, 20, True)
    assert [(one.score, one.lesions) for one in got.candidates] == [(0.7, (0,)), (0.7, ())]


def test_a_heat_map_must_be_a_map():
    for values in (np.zeros(4), np.zeros((0, 3)), np.array([[np.nan]])):
        with pytest.raises(InvalidValueError):
            Heat(values)
