"""How well markers and burned-in text are found on films whose places nobody knows, as `evaluate shortcuts` looks.

On phantoms the letters are known to the pixel. The detectors are those that `medcam deidentify --clean-pixels` uses.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import ndimage

from medcam.dicom.deidentify import find_burned_in
from medcam.evaluate.localisation import mean_interval, share_interval
from medcam.phantom import render, sample_case
from medcam.service.find_text import TextFinder
from medcam.service.measure.shortcut_models import PREVALENCE

SEED = 7373
"""Phantom seed of the films; no detector has seen it."""
COVERED = 0.5
"""A line or marker counts as found where this share of its letters is covered."""


def marks_found(films: int, side: int, seed: int = SEED) -> dict[str, Any]:
    """Recall and precision over phantoms with the markers and text that they have by themselves.

    Args:
        films: Phantoms.
        side: Of them, in pixels.
        seed: Of them.

    Returns:
        Plain values: markers and lines of text found, parts found that are such, and the share of the letters' area
        that is covered, each {"n", "value", "low", "high"} with 95 % intervals (Wilson; bootstrap over films); None
        without a case.
    """
    finder = TextFinder.load()
    hits: dict[str, list[bool]] = {"marker": [], "text": []}
    right: list[bool] = []
    covered: list[float] = []
    for index in range(films):
        phantom = render(sample_case(seed, index, prevalence=PREVALENCE), side)
        letters = [each for each in phantom.distractors if each.kind in hits]
        found = find_burned_in(phantom.linear) | finder(phantom.linear)
        for each in letters:
            share = float((found & each.mask).sum() / each.mask.sum())
            hits[each.kind].append(share >= COVERED)
            covered.append(share)
        printed = np.any([each.mask for each in letters], axis=0) if letters else np.zeros_like(found)
        parts, count = ndimage.label(found)
        right += [bool((printed & (parts == number)).any()) for number in range(1, count + 1)]
    return {
        "films": films,
        "side": side,
        "markers": _share(hits["marker"]),
        "text": _share(hits["text"]),
        "precision": _share(right),
        "area": _interval(covered),
    }


def _share(hits: list[bool]) -> dict[str, float] | None:
    if not hits:
        return None
    share = share_interval(hits)
    return {"n": len(hits), "value": share.value, "low": share.low, "high": share.high}


def _interval(values: list[float]) -> dict[str, float] | None:
    if not values:
        return None
    mean = mean_interval(values)
    return {"n": len(values), "value": mean.value, "low": mean.low, "high": mean.high}
