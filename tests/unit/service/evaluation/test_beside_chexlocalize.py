"""Figures beside CheXlocalize's, whose definitions are written down here a second time, on phantoms in its formats.

What Saporta et al. (2022) and the evaluation code published with it define: maps are resized to the film bilinearly,
cell centres to cell centres; a map is scaled from its lowest to its highest value on the film before it is cut, so that
maps below zero count as well; IoU is of masks of the film's size, over films that have both masks, or either; a film
with neither counts in no mean; a hit is the first of the highest pixels of the resized map in the truth, over films
with truth.
"""

import json
import pickle

import cv2
import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from scipy import ndimage

from medcam.evaluate.formats.jsons import read_json, write_chexlocalize
from medcam.evaluate.formats.places import Place, PlacedFilm
from medcam.evaluate.formats.runs import Runs
from medcam.phantom import render, sample_case
from medcam.service.evaluation.localisation import Plan, evaluate_localisation
from medcam.service.evaluation.shown_files import predicted_films
from medcam.service.evaluation.true_places import read_places

SIZE = (80, 96)
FINDINGS = ("Mass", "Pleural Effusion")
FILMS = 24
FLAT, AGAINST, UNSHOWN, NOTHING = 4, 10, 12, 15
"""Films whose maps are the same everywhere or below zero, one that no file of masks names, one with empty masks."""


def masks_of(index):
    """What is where on a phantom, on a film that is wider than high."""
    found = {name: np.zeros(SIZE, dtype=bool) for name in FINDINGS}
    for truth in render(sample_case(707, index, prevalence=0.5), 96).truths:
        if truth.name in found:
            found[truth.name] |= cv2.resize(np.asarray(truth.mask, dtype=np.uint8), SIZE[::-1]) > 0
    return found


def map_of(mask, index, rng):
    coarse = cv2.resize(mask.astype(np.float32), (12, 10), interpolation=cv2.INTER_AREA)
    values = (3.0 * coarse + rng.normal(0.0, 0.5, coarse.shape)).astype(np.float32)
    return {FLAT: np.full_like(values, 0.25), AGAINST: -np.abs(values) - 1.0}.get(index, values)


def resized(values):
    """Cell centres to cell centres, along one axis after the other; the outermost cells go on to the edge."""
    at = [
        np.clip((np.arange(long) + 0.5) * short / long - 0.5, 0, short - 1)
        for long, short in zip(SIZE, values.shape, strict=True)
    ]
    return ndimage.map_coordinates(values.astype(np.float64), np.meshgrid(*at, indexing="ij"), order=1)


class Cohort:
    def __init__(self, folder):
        rng = np.random.default_rng(5)
        self.truth = [masks_of(index) for index in range(FILMS)]
        self.maps = [{name: map_of(own[name], index, rng) for name in FINDINGS} for index, own in enumerate(self.truth)]
        self.shown = [
            {name: resized(values) > (9.0 if index == NOTHING else 1.0) for name, values in own.items()}
            for index, own in enumerate(self.maps)
        ]
        self.names = [f"patient{index:03}_study1_view1_frontal" for index in range(FILMS)]
        self.gt, self.masks, self.heat = folder / "gt_segmentations_val.json", folder / "masks.json", folder / "maps"
        write_chexlocalize(self.gt, self._placed(self.truth), FINDINGS)
        write_chexlocalize(
            self.masks, [film for n, film in enumerate(self._placed(self.shown)) if n != UNSHOWN], FINDINGS
        )
        self.heat.mkdir()
        for name, own in zip(self.names, self.maps, strict=True):
            for finding, values in own.items():
                record = {
                    "map": torch.from_numpy(values)[None, None],
                    "prob": 0.3,
                    "task": finding,
                    "gt": 1,
                    "cxr_dims": SIZE[::-1],
                }
                (self.heat / f"{name}_{finding}_map.pkl").write_bytes(pickle.dumps(record))

    def _placed(self, masks):
        return [
            PlacedFilm(name, {finding: Place(runs=(Runs.of(mask),)) for finding, mask in own.items()}, *SIZE)
            for name, own in zip(self.names, masks, strict=True)
        ]

    def figures(self, shown, rule):
        return evaluate_localisation(read_places(self.gt), predicted_films(shown), Plan(rule=rule)).findings


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    return Cohort(tmp_path_factory.mktemp("chexlocalize"))


def ious(truth, found, *, both):
    values = []
    for one, other in zip(truth, found, strict=True):
        union = np.count_nonzero(one | other)
        if union and (not both or (one.any() and other.any())):
            values.append(np.count_nonzero(one & other) / union)
    return values


def test_the_edge_cases_are_there(cohort):
    truth = [own["Mass"].any() for own in cohort.truth]

    assert 3 < sum(truth) < FILMS
    for index in (FLAT, AGAINST, UNSHOWN, NOTHING):
        assert all(mask.any() for mask in cohort.truth[index].values())
    assert all(mask.any() for mask in cohort.shown[UNSHOWN].values())
    assert not any(mask.any() for mask in cohort.shown[NOTHING].values())
    assert max(values.max() for values in cohort.maps[AGAINST].values()) < 0.0


@pytest.mark.parametrize("finding", FINDINGS)
def test_masks_over_films_with_both_and_with_either(cohort, finding):
    truth = [own[finding] for own in cohort.truth]
    shown = [own[finding] & (n != UNSHOWN) for n, own in enumerate(cohort.shown)]
    figures = cohort.figures(cohort.masks, "0.5")[finding]

    for figure, both in ((figures.iou_both, True), (figures.iou_either, False)):
        expected = ious(truth, shown, both=both)
        assert figure.value == pytest.approx(np.mean(expected))
        assert figure.cases == len(expected)


def test_intervals_are_those_of_films_drawn_again(cohort):
    """One film a patient: its bootstrap over films and ours over patients have the same unit."""
    figure = cohort.figures(cohort.masks, "0.5")["Pleural Effusion"].iou_either
    shown = [own["Pleural Effusion"] & (n != UNSHOWN) for n, own in enumerate(cohort.shown)]
    values = np.array(ious([own["Pleural Effusion"] for own in cohort.truth], shown, both=False))
    rng = np.random.default_rng(0)
    draws = np.sort([rng.choice(values, len(values)).mean() for _ in range(4000)])

    assert figure.low == pytest.approx(draws[99], abs=0.03)
    assert figure.high == pytest.approx(draws[3899], abs=0.03)


@pytest.mark.parametrize("finding", FINDINGS)
def test_a_hit_is_the_highest_pixel_of_the_resized_map_in_the_truth(cohort, finding):
    hits = []
    for masks, maps in zip(cohort.truth, cohort.maps, strict=True):
        if masks[finding].any():
            full = resized(maps[finding]).astype(np.float32)
            hits.append(bool(masks[finding].ravel()[np.argmax(full)]))
    figure = cohort.figures(cohort.heat, "otsu")[finding].hit_rate

    assert figure.value == pytest.approx(np.mean(hits))
    assert figure.cases == len(hits)


def cut(values, share):
    """The region of a map: above a share of the way from its lowest to its highest value, or by Otsu's threshold."""
    full = resized(values)
    if np.ptp(full) == 0.0:
        return np.zeros(SIZE, dtype=bool)
    scaled = ((full - full.min()) / np.ptp(full)).astype(np.float32)
    if share is not None:
        return scaled > share
    return cv2.threshold((255 * scaled).astype(np.uint8), 0, 255, cv2.THRESH_OTSU)[1] > 0


@pytest.mark.parametrize("share", [None, 0.2, 0.5, 0.7])
def test_maps_are_scaled_from_their_lowest_value_and_cut(cohort, share):
    figures = cohort.figures(cohort.heat, "otsu" if share is None else str(share))

    for finding in FINDINGS:
        found = [cut(own[finding], share) for own in cohort.maps]
        expected = ious([own[finding] for own in cohort.truth], found, both=False)
        assert figures[finding].iou_either.value == pytest.approx(np.mean(expected), abs=2e-3)


def test_outlines_are_filled_as_its_masks_but_for_the_line_itself(tmp_path):
    """Its masks are made by a polygon fill that paints the line too; ours takes the pixels whose centres lie inside."""
    angles = np.linspace(0.0, 2.0 * np.pi, 40, endpoint=False)
    points = np.stack([480 + 210 * np.cos(angles), 300 + 130 * np.sin(angles) * (1 + 0.3 * np.cos(3 * angles))], axis=1)
    picture = Image.new("1", (900, 600))
    ImageDraw.Draw(picture).polygon([tuple(point) for point in points], outline=1, fill=1)
    theirs = np.array(picture)
    content = {"patient1_study1_view1_frontal": {"img_size": [600, 900], "Edema": [points.tolist()]}}
    (tmp_path / "gt_annotations_val.json").write_text(json.dumps(content))

    _, [film] = read_json(tmp_path / "gt_annotations_val.json")
    ours = film.places["Edema"].mask(600, 900)

    assert not (ours & ~ndimage.binary_dilation(theirs)).any()
    assert not (theirs & ~ndimage.binary_dilation(ours, iterations=2)).any()
    assert (ours & theirs).sum() / (ours | theirs).sum() > 0.99
