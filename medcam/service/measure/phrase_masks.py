"""Whether maps lie on masks, beside the same maps elsewhere: rolled to any place, or laid over another film."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from medcam.cam.regions import region_mask
from medcam.core.activation import ActivationMap
from medcam.core.arrays import BoolArray, FloatArray
from medcam.core.card import PAPER_RULE, Interval
from medcam.core.geometry import GridTransform
from medcam.core.relation import Relation
from medcam.evaluate.localisation import mask_iou, mean_interval, share_interval
from medcam.models.training.films import Films
from medcam.models.training.validation import pointing_game
from medcam.phantom import Case, render
from medcam.service.measure.phrase_reports import Concept

ROLLS = 20
"""Random places of each region by which chance is estimated."""


@dataclass(frozen=True, slots=True)
class PlacedFigures:
    """Where maps lie.

    Args:
        films: Films with a mask.
        pointing: Share of maps that peak in the mask, with its interval by Wilson.
        pointing_chance: Share of the film that the mask covers: what a peak anywhere would hit.
        pointing_other: Share of maps that hit when laid over each of the other films: what knowing the usual place is
            worth without looking at the film.
        iou: Mean IoU of the region by the paper's rule with the mask.
        iou_chance: The same with the region rolled to any place on the film.
        iou_other: The same with the region laid over the next film.
    """

    films: int
    pointing: Interval
    pointing_chance: float
    pointing_other: float
    iou: Interval
    iou_chance: float
    iou_other: float


def placed(maps: FloatArray, masks: BoolArray, seed: int = 0) -> PlacedFigures | None:
    """Compares maps with masks; None where no mask has a pixel.

    Args:
        maps: float32 [n, h, w], one film each.
        masks: bool [n, side, side] over the same extent.
        seed: Of the random places.
    """
    kept = masks.any(axis=(1, 2))
    maps, masks = maps[kept], masks[kept]
    count = len(maps)
    if not count:
        return None
    hits = pointing_game(maps, masks)
    others = [pointing_game(maps, np.roll(masks, step, axis=0)).mean() for step in range(1, min(count, ROLLS + 1))]
    regions = [_region(values, masks.shape[1]) for values in maps]
    rng = np.random.default_rng(seed)
    rolled = [
        mask_iou(np.roll(region, rng.integers(mask.shape[0], size=2), axis=(0, 1)), mask)
        for region, mask in zip(regions, masks, strict=True)
        for _ in range(ROLLS)
    ]
    pairs = zip(regions, np.roll(masks, 1, axis=0), strict=True)
    return PlacedFigures(
        films=count,
        pointing=share_interval(hits),
        pointing_chance=float(masks.mean()),
        pointing_other=float(np.mean(others)) if others else float("nan"),
        iou=mean_interval([mask_iou(region, mask) for region, mask in zip(regions, masks, strict=True)]),
        iou_chance=float(np.mean(rolled)),
        iou_other=float(np.mean([mask_iou(region, mask) for region, mask in pairs])) if count > 1 else float("nan"),
    )


def _region(values: FloatArray, side: int) -> BoolArray:
    transform = GridTransform.identity(side, side).resize(*values.shape)
    shown = ActivationMap(values, 0.0, transform, relation=Relation.UNSTATED)
    return region_mask(shown, PAPER_RULE, side, side)


def concept_masks(concept: Concept, films: Films, cases: Sequence[Case], shown: npt.NDArray[np.bool_]) -> BoolArray:
    """Masks bool [n, side, side] of the films that show a concept.

    The mask of support devices holds all of a film; where there are several, the film is drawn once more with the
    concept's own device alone.

    Args:
        concept: Which.
        films: All films, with masks.
        cases: What each of them is made of.
        shown: bool [films]: those that show the concept.
    """
    assert films.masks is not None
    masks = films.masks[shown, films.names.index(concept.finding)]
    chosen = [case for case, is_shown in zip(cases, shown, strict=True) if is_shown]
    for place, case in enumerate(chosen):
        spec = concept.spec(case)
        if concept.device and spec is not None and spec.kind != concept.device:
            masks[place] = _device_mask(concept, case, masks.shape[1])
    return np.asarray(masks)


def _device_mask(concept: Concept, case: Case, side: int) -> BoolArray:
    alone = tuple(
        replace(spec, kind=concept.device) if spec.name == concept.finding else spec for spec in case.findings
    )
    truths = render(replace(case, findings=alone), side).truths
    own = [truth.mask for truth in truths if truth.name == concept.finding]
    return np.asarray(own[0] if own else np.zeros((side, side), dtype=np.bool_))
