"""Region rules for `nih-opacity`: ranked on planted opacities, then measured on readers' boxes once.

Readers draw boxes, often around a zone of a lung; the map's parts hug what is brightest. So rules are also judged by
the boxes around their parts, which every region carries, and on planted opacities about as large as a lung's zone.
Nothing here looks at a reader's box before every rule has been chosen and ranked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from scipy import ndimage

from medcam.cam.regions import region_mask
from medcam.core.activation import ActivationMap
from medcam.core.card import RegionRule, RegionRuleKind
from medcam.core.geometry import GridTransform
from medcam.evaluate.localisation import mask_iou, mean_interval
from medcam.models.registry import load_model
from medcam.service.opacity import figures as measure
from medcam.service.opacity.features import GOOD_ZONES, SIDE, as_input, film_input, lung_zones, resized
from medcam.service.opacity.films import OpacityFilms
from medcam.service.opacity.planted import plant
from medcam.service.opacity.planted_zones import plant_zones

Maps = npt.NDArray[np.float32]
Masks = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

FRACTIONS = (0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7, 0.8)
"""Of the peak. No threshold in logits: the folds' networks and the shipped one differ in scale."""
PARTS = ((False, 0.0), (False, 0.1), (False, 0.2), (True, 0.0))
"""Whether the largest part alone is kept, and the smallest share of the evidence of a part."""
ZONE = 0.5
"""A planted opacity counts as zonal from so large a share of the mean lung zone (a third of a lung)."""
CALIBRATES = 2
"""One patient in so many chooses thresholds; the others rank the rules."""
MODEL, PLANTED_EVERY, MASK_SIDE = "nih-opacity", 2, 80


@dataclass(frozen=True, eq=False)
class _Planted:
    """Maps, masks of what was planted, of either kind, on a finer raster, patients, and whether it is zonal in size."""

    maps: Maps
    masks: Masks
    patients: Rows
    zonal: Masks

    @property
    def number(self) -> Rows:
        """Of each patient, so that all films of one choose or all rank."""
        return np.asarray(np.unique(self.patients, return_inverse=True)[1], dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Variant:
    """A way to find regions, whose threshold planted opacities choose.

    Args:
        name: In words.
        boxed: Whether the region is the boxes around the map's parts rather than the parts.
        to_boxes: Whether the threshold follows boxes around what was planted rather than its cells.
        zonal: Whether zonal planted opacities alone choose it.
        smoothed: Standard deviation of a Gaussian over the map, in cells; the product has none.
    """

    name: str
    boxed: bool
    to_boxes: bool
    zonal: bool = False
    smoothed: float = 0.0


VARIANTS = (
    Variant("parts, by planted cells (how the card's was chosen)", boxed=False, to_boxes=False),
    Variant("parts, by planted boxes", boxed=False, to_boxes=True),
    Variant("boxes of parts, by planted boxes", boxed=True, to_boxes=True),
    Variant("boxes of parts, by zonal planted boxes", boxed=True, to_boxes=True, zonal=True),
    Variant("the same, map smoothed by 1 cell", boxed=True, to_boxes=True, zonal=True, smoothed=1.0),
    Variant("the same, map smoothed by 2 cells", boxed=True, to_boxes=True, zonal=True, smoothed=2.0),
)


def run_regions(
    films: OpacityFilms, work: Path, seed: int, report: Callable[[str], None] = lambda _: None
) -> dict[str, object]:
    """Compares rules on the maps of the shipped weights.

    Args:
        films: All films.
        work: Where lung zones are kept; those of the study are taken where they are there.
        seed: Of what is planted; never what the weights learnt from.
        report: Called with what has been done.

    Returns:
        Plain values: a row a variant, and which comes first.
    """
    planted = _planted(films, work, seed, report)
    rows: list[dict[str, object]] = []
    tried, zonal = planted.number % CALIBRATES == 0, planted.zonal
    boxes = np.stack([boxed(mask) for mask in planted.masks])
    held = np.flatnonzero(~tried & zonal)
    for variant in VARIANTS:
        soft, of = smoothed(planted.maps, variant.smoothed), boxes if variant.to_boxes else planted.masks
        used = np.flatnonzero(tried & zonal if variant.zonal else tried)
        rule = best_rule(soft[used], of[used], boxed_too=variant.boxed)
        ious = _ious(soft[held], boxes[held], rule, variant.boxed)
        told = asdict(rule) | {"kind": str(rule.kind)}
        figure = asdict(mean_interval(ious, planted.patients[held]))
        rows.append({"name": variant.name, "product": not variant.smoothed, "rule": told, "planted": figure})
        report(f"{variant.name}: chosen")
    able = [row for row in rows if row["product"]]
    first = max(able, key=lambda row: row["planted"]["value"])["name"]  # type: ignore[index]
    unseen = unseen_boxed(films)
    maps = _maps([film_input(films.paths[row]) for row in unseen])
    for row, variant in zip(rows, VARIANTS, strict=True):
        row["readers"] = _on_readers(films, unseen, maps, variant, _rule(row))
    counts = {"zonal": int(zonal.sum()), "planted": len(zonal), "boxed": len(films.boxes), "unseen": len(unseen)}
    weights = load_model(MODEL).card.weights_sha256
    return {"rows": rows, "first": first, "weights": weights, **counts}


def unseen_boxed(films: OpacityFilms) -> Rows:
    """Rows with readers' boxes of patients of whom the shipped weights saw no film.

    They learnt from pairs alone, and pairs are made of films without a reported finding.
    """
    seen = films.patients[films.labels == 0]
    rows = np.array(sorted(films.boxes), dtype=np.int64)
    return rows[~np.isin(films.patients[rows], seen)]


def _planted(films: OpacityFilms, work: Path, seed: int, report: Callable[[str], None]) -> _Planted:
    zones, quality = lung_zones(films, work, lambda what, done, count: report(f"{what} {done}/{count}"))
    clean = np.flatnonzero((films.labels == 0) & (quality > GOOD_ZONES))[:: max(1, PLANTED_EVERY)]
    inputs, masks, large = [], [], []
    for number, row in enumerate(clean.tolist()):
        own = np.stack([resized(zone, SIDE) for zone in zones[row].astype(np.float32)])
        pair = (plant, plant_zones)[number % 2](
            film_input(films.paths[row]), own, np.random.default_rng([seed, row, 2026])
        )
        inputs.append(pair.planted)
        masks.append(resized(pair.extent, MASK_SIDE) > measure.EXTENT)
        large.append(masks[-1].mean() >= ZONE * own.mean(axis=(1, 2)).mean())
    there = np.array([bool(mask.any()) for mask in masks])
    report("planted")
    return _Planted(_maps(inputs)[there], np.stack(masks)[there], films.patients[clean][there], np.array(large)[there])


def _maps(inputs: Sequence[npt.NDArray[np.float32]]) -> Maps:
    model = load_model(MODEL)
    return np.stack([model.predict(as_input(film)[None, None]).maps[0, 0] for film in inputs])


def best_rule(maps: Maps, masks: Masks, *, boxed_too: bool) -> RegionRule:
    """The rule whose regions, or boxes around their parts, have the best mean IoU with the masks; of equals the first.

    Args:
        maps: float32 [n, h, w].
        masks: bool [n, H, W], over the same extent.
        boxed_too: Whether boxes around the parts count.
    """
    rules = [
        RegionRule("calibrated", RegionRuleKind.PEAK_FRACTION, fraction, largest_only=largest, smallest_share=share)
        for fraction in FRACTIONS
        for largest, share in PARTS
    ]
    return max(rules, key=lambda rule: _ious(maps, masks, rule, boxed_too).mean())


def boxed(mask: Masks) -> Masks:
    """Boxes around the 8-connected parts of a mask, bool [h, w]."""
    result = np.zeros_like(mask)
    for window in ndimage.find_objects(ndimage.label(mask, np.ones((3, 3)))[0]):
        result[window] = True
    return result


def smoothed(maps: Maps, sigma: float) -> Maps:
    """Maps [n, h, w] under a Gaussian of so many cells; as they are for 0."""
    if not sigma:
        return maps
    return np.stack([cv2.GaussianBlur(values, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE) for values in maps])


def _ious(maps: Maps, masks: Masks, rule: RegionRule, boxed_too: bool) -> Floats:
    regions = (_region(values, rule, masks.shape[1], boxed_too) for values in maps)
    return np.array([mask_iou(region, mask) for region, mask in zip(regions, masks, strict=True)], dtype=np.float64)


def _region(values: Maps, rule: RegionRule, side: int, boxed_too: bool) -> Masks:
    transform = GridTransform.identity(side, side).resize(*values.shape)
    region = region_mask(ActivationMap(values, 0.0, transform), rule, side, side)
    return boxed(region) if boxed_too else region


def _on_readers(films: OpacityFilms, rows: Rows, maps: Maps, variant: Variant, rule: RegionRule) -> dict[str, object]:
    masks, patients = [measure.boxes_mask(films.boxes[row]) for row in rows.tolist()], films.patients[rows]
    soft = smoothed(maps, variant.smoothed)
    regions = [_region(values, rule, measure.RASTER, variant.boxed) for values in soft]
    inside = [float((own & true).sum() / max(1, own.sum())) for own, true in zip(regions, masks, strict=True)]
    found: dict[str, Sequence[float]] = {
        "iou": [mask_iou(own, true) for own, true in zip(regions, masks, strict=True)],
        "iobb": inside,
        "area": [float(own.mean()) for own in regions],
    }
    return {name: asdict(mean_interval(values, patients)) for name, values in found.items()}


def _rule(row: dict[str, object]) -> RegionRule:
    told: dict[str, object] = row["rule"]  # type: ignore[assignment]
    return RegionRule(**(told | {"kind": RegionRuleKind(str(told["kind"]))}))  # type: ignore[arg-type]
