"""A drawn film: the same each time, dense is bright, and nothing changes but what was put in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt

from medcam.core.errors import InvalidValueError
from medcam.phantom import FINDINGS, Phantom, render, sample_case

from .conftest import SEED, SIDE, Pair


def iou(first: np.ndarray, second: np.ndarray) -> float:
    return float((first & second).sum() / (first | second).sum())


def lungs(phantom: Phantom) -> np.ndarray:
    return np.any([mask for name, mask in phantom.zones.items() if name.endswith("-lung")], axis=0)


def test_the_same_case_gives_the_same_film_and_truth(pairs: dict[str, list[Pair]]) -> None:
    pair = pairs["Consolidation"][0]
    first, again = pair.film, render(sample_case(SEED, pair.case.index, findings=["Consolidation"]), SIDE)
    assert np.array_equal(first.linear, again.linear)
    assert np.array_equal(first.stored.pixels, again.stored.pixels)
    assert np.array_equal(first.truths[0].mask, again.truths[0].mask)
    assert (first.report, first.truths[0].contrast_to_noise) == (again.report, again.truths[0].contrast_to_noise)


def test_without_truth_the_film_is_the_same(pairs: dict[str, list[Pair]]) -> None:
    pair = pairs["Mass"][0]
    bare = render(pair.case, SIDE, truth=False)
    assert np.array_equal(bare.linear, pair.film.linear)
    assert (bare.truths, dict(bare.zones), bare.report) == ((), {}, "")


def test_a_film_too_small_to_draw_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="64 pixels"):
        render(sample_case(0, 0), 63)


def test_values_lie_between_0_and_1_and_use_that_range(healthy: list[Phantom]) -> None:
    for film in healthy:
        assert film.linear.dtype == np.float32
        assert film.linear.min() >= 0.0
        assert film.linear.max() <= 1.0
        assert np.ptp(film.linear) > 0.7


def test_lungs_are_darker_than_heart_and_spine(healthy: list[Phantom]) -> None:
    for film in healthy:
        lung = float(np.median(film.linear[lungs(film)]))
        assert lung < float(np.median(film.linear[film.zones["heart"]])) - 0.1
        assert lung < float(np.median(film.linear[film.zones["spine"] & ~film.zones["heart"]])) - 0.1


def test_the_air_around_the_body_is_darkest(healthy: list[Phantom]) -> None:
    seen = 0
    for film in healthy:
        air = ~film.zones["body"]
        if air.sum() > 50:
            seen += 1
            assert np.median(film.linear[air]) < np.median(film.linear[lungs(film)])
    assert seen > len(healthy) / 2


def test_the_heart_lies_on_the_right_of_the_picture(healthy: list[Phantom]) -> None:
    for film in healthy:
        middle = np.nonzero(film.zones["spine"])[1].mean()
        assert np.nonzero(film.zones["heart"])[1].mean() > middle + 3


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_stored_values_are_the_film_quantised_and_inverted_for_monochrome1(
    photometric: str, pairs: dict[str, list[Pair]]
) -> None:
    films = [pair.film for some in pairs.values() for pair in some if pair.film.photometric == photometric]
    assert films
    for film in films:
        top = 2**film.bits_stored - 1
        stored = film.stored.pixels.astype(np.int64)
        expected = np.rint(film.linear * top).astype(np.int64)
        assert np.array_equal(top - stored if photometric == "MONOCHROME1" else stored, expected)


@pytest.mark.parametrize("name", [name for name in FINDINGS if name != "Atelectasis"])
def test_far_from_a_finding_the_partner_without_it_is_the_same(name: str, pairs: dict[str, list[Pair]]) -> None:
    for pair in pairs[name]:
        change = np.abs(pair.film.linear - pair.partner.linear)
        far = distance_transform_edt(~pair.truth.mask) * pair.film.pixel_spacing > 60
        assert change[pair.truth.mask].mean() > 0.003
        # What is left is quantum noise: exposure is controlled on the median of the film, which the finding moves.
        assert change[far].mean() < 0.003
        assert change[far].mean() < 0.2 * change[pair.truth.mask].mean()


def test_atelectasis_also_raises_the_dome_but_only_on_its_side(pairs: dict[str, list[Pair]]) -> None:
    for pair in pairs["Atelectasis"]:
        change = np.abs(pair.film.linear - pair.partner.linear)
        near, other = ("right", "left") if pair.truth.side == "right" else ("left", "right")
        risen = [pair.partner.zones[f"{side}-lower-lung"].any(axis=1).nonzero()[0][-1] for side in (near, other)]
        now = [pair.film.zones[f"{side}-lower-lung"].any(axis=1).nonzero()[0][-1] for side in (near, other)]
        assert now[0] < risen[0]
        assert now[1] == risen[1]
        assert change[pair.partner.zones[f"{other}-upper-lung"]].mean() < 0.003


def test_a_kept_dome_leaves_nothing_but_the_airless_lung_to_tell_two_films_apart(pairs: dict[str, list[Pair]]) -> None:
    for pair in pairs["Atelectasis"]:
        partner = render(pair.case.without("Atelectasis", keep_domes=True), SIDE)
        assert not partner.truths
        assert "raised" not in partner.report
        change = np.abs(pair.film.linear - partner.linear)
        far = distance_transform_edt(~pair.truth.mask) * pair.film.pixel_spacing > 60
        assert change[pair.truth.mask].mean() > 0.003
        assert change[far].mean() < 0.2 * change[pair.truth.mask].mean()
        side = pair.truth.side
        assert np.array_equal(partner.zones[f"{side}-upper-lung"], pair.film.zones[f"{side}-upper-lung"])
        assert not np.array_equal(partner.zones[f"{side}-lower-lung"], pair.partner.zones[f"{side}-lower-lung"])


@pytest.mark.parametrize("name", ["Pleural Effusion", "Consolidation", "Nodule", "Mass", "Support Devices"])
def test_what_is_denser_than_lung_is_brighter(name: str, pairs: dict[str, list[Pair]]) -> None:
    for pair in pairs[name]:
        change = pair.film.linear - pair.partner.linear
        assert change[pair.truth.mask].mean() > 0.001


def test_a_pneumothorax_is_darker_than_the_lung_that_was_there(pairs: dict[str, list[Pair]]) -> None:
    for pair in pairs["Pneumothorax"]:
        assert (pair.film.linear - pair.partner.linear)[pair.truth.mask].mean() < -0.01


def test_a_larger_film_shows_the_same(pairs: dict[str, list[Pair]]) -> None:
    names = ("Pleural Effusion", "Consolidation", "Mass", "Cardiomegaly")
    for name in names:
        pair = pairs[name][0]
        large = render(pair.case, 2 * SIDE)
        halved = large.truths[0].mask.reshape(SIDE, 2, SIDE, 2).mean(axis=(1, 3)) >= 0.5
        assert iou(halved, pair.truth.mask) > 0.8, name
        smaller = large.linear.reshape(SIDE, 2, SIDE, 2).mean(axis=(1, 3))
        assert np.corrcoef(smaller.ravel(), pair.film.linear.ravel())[0, 1] > 0.98


def test_distractors_change_the_film_but_no_truth() -> None:
    cases = [sample_case(21, index, prevalence=0.6) for index in range(12)]
    case = max(cases, key=lambda case: len(case.distractors) + 10 * bool(case.findings))
    assert case.distractors
    full, bare = render(case, SIDE), render(replace(case, distractors=()), SIDE)
    assert not np.array_equal(full.linear, bare.linear)
    assert [truth.name for truth in full.truths] == [truth.name for truth in bare.truths] != []
    for one, other in zip(full.truths, bare.truths, strict=True):
        assert np.array_equal(one.mask, other.mask)
    assert all(np.array_equal(full.zones[name], bare.zones[name]) for name in full.zones)
    assert full.report == bare.report
    assert len(full.distractors) >= 1
    assert bare.distractors == ()


def test_a_distractor_is_where_its_box_says() -> None:
    case = next(c for c in (sample_case(8, i, prevalence=0.0) for i in range(60)) if c.distractors)
    full, bare = render(case, SIDE), render(replace(case, distractors=()), SIDE)
    marked = np.zeros(full.linear.shape, dtype=bool)
    for placed in full.distractors:
        box = placed.box
        marked[round(box.y) : round(box.y + box.height), round(box.x) : round(box.x + box.width)] = True
    change = np.abs(full.linear - bare.linear)
    assert change[marked].max() > 0.1
    assert change[~marked].mean() < 0.2 * change[marked].mean()
