"""How well a network's scores and maps agree with labels, readings, readers' boxes and what was planted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict

import numpy as np
import numpy.typing as npt

from medcam.cam.calibrate import calibrate_rule
from medcam.cam.regions import region_mask
from medcam.core.activation import ActivationMap
from medcam.core.card import Interval, RegionRule, RegionRuleKind
from medcam.core.geometry import Box, GridTransform
from medcam.evaluate.classification import BOOTSTRAPS, auc, auc_interval, resampled
from medcam.evaluate.localisation import mask_iou, mean_interval
from medcam.models.training.validation import pointing_game
from medcam.service.opacity.features import FAMILIES, Features
from medcam.service.opacity.films import OpacityFilms
from medcam.service.opacity.tail import CHANGED, Outputs

EXTENT = 0.3
"""A cell belongs to a planted opacity from so large an extent on."""
RASTER = 160
"""Side of the raster on which regions and boxes are compared."""
HALF = RegionRule("half the maximum", RegionRuleKind.PEAK_FRACTION, 0.5, largest_only=False)

Floats = npt.NDArray[np.float64]
Maps = npt.NDArray[np.float32]
Masks = npt.NDArray[np.bool_]
Figures = dict[str, object]


def label_figures(films: OpacityFilms, outputs: Outputs) -> dict[str, Interval]:
    """Figures that no reader's word goes into: those that a network may be chosen by.

    "strata": share of pairs of films of one stratum, one with a reported finding and one without, whose scores are in
    that order. "planted-...": AUC of films without a reported finding against the same with a planted opacity, of
    each family.
    """
    figures = {"strata": _within_strata(films, outputs.logits[:, 0])}
    for family, (first, end) in FAMILIES.items():
        figures[f"planted-{family}"] = _planted_auc(films, outputs.logits[:, 1 + 2 * first : 1 + 2 * end])
    return figures


def _planted_auc(films: OpacityFilms, logits: npt.NDArray[np.float32]) -> Interval:
    clean = np.flatnonzero(films.labels == 0)
    without, planted = logits[clean, ::2], logits[clean, 1::2]
    versions = without.shape[1]
    scores = np.concatenate([without, planted], axis=1).ravel()
    truth = np.tile([0] * versions + [1] * versions, len(clean))
    patients = np.repeat(films.patients[clean], 2 * versions)
    return auc_interval(truth, scores, patients)


def planted_pointing(films: OpacityFilms, outputs: Outputs, features: Features) -> dict[str, Interval]:
    """Pointing game on planted opacities of films without a reported finding, by patient, of each family."""
    figures = {}
    for family, (first, end) in FAMILIES.items():
        changed = features.change[:, first:end] > CHANGED
        maps, masks, patients = planted_maps(films, outputs.maps[:, 2::2][:, first:end], changed)
        figures[f"pointing-{family}"] = mean_interval(pointing_game(maps, masks), patients)
    return figures


def planted_maps(films: OpacityFilms, maps: Maps, planted: Masks) -> tuple[Maps, Masks, npt.NDArray[np.int64]]:
    """What was planted on films without a reported finding, where it is to be seen.

    Args:
        films: The films.
        maps: [n, pairs, h, w] of the films with it.
        planted: bool [n, pairs, h, w], its cells.

    Returns:
        Maps [m, h, w], masks on a raster four times as fine, and patients [m].
    """
    clean = np.flatnonzero(films.labels == 0)
    shown = maps[clean].reshape(-1, *maps.shape[2:])
    masks = planted[clean].reshape(-1, *planted.shape[2:])
    there = masks.any(axis=(1, 2))
    fine = masks.repeat(4, axis=1).repeat(4, axis=2)
    return shown[there], fine[there], np.repeat(films.patients[clean], planted.shape[1])[there]


def calibrated(films: OpacityFilms, maps: Maps, features: Features) -> RegionRule:
    """The region rule with the best IoU on planted opacities of every family, from one in three, which is enough.

    Args:
        films: The films.
        maps: [n, versions, h, w].
        features: For the extents of what was planted.
    """
    shown, masks, _ = planted_maps(films, maps[:, 2::2], features.extent > EXTENT)
    return calibrate_rule(shown[::3], masks[::3])


def reader_figures(
    films: OpacityFilms, scores: npt.ArrayLike | None, maps: Maps, rules: Sequence[RegionRule]
) -> dict[str, Interval]:
    """Figures against readings and readers' boxes, which nothing is chosen by.

    Args:
        films: The films.
        scores: [n] of the films as they are; None where there are none.
        maps: [n, h, w] of the films as they are.
        rules: Region rules; the first gives "iou" and "iobb", the second "iou-half".

    Returns:
        "rsna" and "nih" (AUC), "pointing", "iou", "iobb" (share of the region that lies in the boxes), "iou-half".
    """
    figures: dict[str, Interval] = {}
    if scores is not None:
        values, read = np.asarray(scores), films.read
        figures["nih"] = auc_interval(films.labels, values, films.patients)
        figures["rsna"] = auc_interval(films.readings[read], values[read], films.patients[read])
    rows = np.array(sorted(films.boxes))
    masks, patients = box_masks(films), films.patients[rows]
    figures["pointing"] = mean_interval(pointing_game(maps[rows], masks), patients)
    for rule, name in zip(rules, ("iou", "iou-half"), strict=False):
        regions = [region(maps[row], rule) for row in rows]
        pairs = list(zip(regions, masks, strict=True))
        figures[name] = mean_interval([mask_iou(found, true) for found, true in pairs], patients)
        if name == "iou":
            figures["iobb"] = mean_interval([_inside(found, true) for found, true in pairs], patients)
    return figures


def region(values: Maps, rule: RegionRule) -> Masks:
    """A rule's region of a map [h, w] that covers the film, bool [raster, raster]."""
    transform = GridTransform.identity(RASTER, RASTER).resize(*values.shape)
    return region_mask(ActivationMap(values, 0.0, transform), rule, RASTER, RASTER)


def box_masks(films: OpacityFilms) -> Masks:
    """Union of the readers' boxes of films that have some, bool [m, raster, raster], by rising row."""
    return np.stack([boxes_mask(films.boxes[row]) for row in sorted(films.boxes)])


def boxes_mask(boxes: Sequence[Box]) -> Masks:
    """Union of boxes in shares of the film."""
    mask = np.zeros((RASTER, RASTER), np.bool_)
    for box in boxes:
        left, top, right, bottom = (round(edge * RASTER) for edge in box.corners)
        mask[top:bottom, left:right] = True
    return mask


def mean_position(films: OpacityFilms) -> Maps:
    """Share of other patients' boxed films whose boxes cover each cell, [n, raster, raster]: what a guess knows."""
    rows, masks = np.array(sorted(films.boxes)), box_masks(films).astype(np.float32)
    result = np.zeros((len(films), RASTER, RASTER), np.float32)
    for row in rows:
        result[row] = masks[films.patients[rows] != films.patients[row]].mean(axis=0)
    return result


def readers_iou(films: OpacityFilms) -> Interval | None:
    """Union IoU of the two sets of readers on films that both drew boxes on."""
    rows = sorted(set(films.boxes) & set(films.other_boxes))
    if not rows:
        return None
    values = [mask_iou(boxes_mask(films.boxes[row]), boxes_mask(films.other_boxes[row])) for row in rows]
    return mean_interval(values, films.patients[rows])


def as_plain(figures: dict[str, Interval]) -> Figures:
    """Values for JSON."""
    return {name: asdict(value) for name, value in figures.items()}


def _inside(found: Masks, true: Masks) -> float:
    return float((found & true).sum() / found.sum()) if found.any() else 0.0


def _within_strata(films: OpacityFilms, scores: npt.NDArray[np.float32]) -> Interval:
    strata = films.strata

    def figure(rows: npt.NDArray[np.int64]) -> float:
        right, pairs = 0.0, 0
        for name in np.unique(strata):
            members = rows[strata[rows] == name]
            labels = films.labels[members]
            count = int((labels == 1).sum() * (labels == 0).sum())
            right, pairs = right + (count * auc(labels, scores[members]) if count else 0.0), pairs + count
        return right / pairs if pairs else 0.5

    return _bootstrapped(figure, films.patients)


def _bootstrapped(figure: Callable[[npt.NDArray[np.int64]], float], patients: npt.NDArray[np.int64]) -> Interval:
    value = figure(np.arange(len(patients)))
    low, high = np.percentile([figure(rows) for rows in resampled(patients, BOOTSTRAPS, 0)], [2.5, 97.5])
    return Interval(value, min(float(low), value), max(float(high), value))
