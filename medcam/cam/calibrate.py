"""Choosing the region rule of a finding on films whose truth is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from medcam.cam.cells import CellCover
from medcam.cam.parts import Parts
from medcam.core.card import RegionRule, RegionRuleKind
from medcam.core.errors import InvalidValueError
from medcam.core.geometry import GridTransform
from medcam.core.resample import Sampler

FRACTIONS = tuple(round(0.05 * step, 2) for step in range(1, 19))
"""Thresholds tried, as fractions of the peak (or, for absolute ones, of the median peak)."""

SMALLEST_SHARES = (0.0, 0.05, 0.1, 0.2)
"""Smallest shares of the positive evidence tried where several parts are kept."""

Floats = npt.NDArray[np.float64]


def calibrate_rule(
    maps: npt.ArrayLike,
    masks: npt.ArrayLike,
    *,
    name: str = "calibrated",
    fractions: Sequence[float] = FRACTIONS,
    smallest_shares: Sequence[float] = SMALLEST_SHARES,
) -> RegionRule:
    """The rule with the best mean IoU on films with the finding.

    Tried are thresholds as a fraction of the peak and in logit units, each with the largest part only or with every
    part that holds a smallest share of the positive evidence. Films whose map is nowhere positive count with IoU 0.
    Use films that are neither trained nor tested on.

    Args:
        maps: float [n, h, w], raw maps of one finding.
        masks: bool [n, H, W], true masks over the same extent, usually finer; films with an empty mask are left out.
        name: Name of the returned rule.
        fractions: Fractions of the peak; the absolute thresholds are these fractions of the median peak.
        smallest_shares: Smallest shares tried.

    Returns:
        The best rule; of equals the first: fractions before absolute values, all parts before the largest.

    Raises:
        InvalidValueError: Shapes disagree, nothing is to be tried, or no film has the finding.
    """
    films = _Films.of(maps, masks)
    median = float(np.median(films.peaks))
    rules = [RegionRule(name, RegionRuleKind.PEAK_FRACTION, fraction, False) for fraction in fractions]
    if median > 0.0:
        rules += [RegionRule(name, RegionRuleKind.ABSOLUTE, fraction * median, False) for fraction in fractions]
    if not rules or not smallest_shares:
        raise InvalidValueError("a calibration needs thresholds and smallest shares to try")
    policies = [(False, share) for share in smallest_shares] + [(True, 0.0)]
    best, best_iou = rules[0], -1.0
    for rule in rules:
        parts = films.parts(rule)
        for largest_only, share in policies:
            iou = float(films.ious(parts, largest_only, share).mean())
            if iou > best_iou:
                best, best_iou = replace(rule, largest_only=largest_only, smallest_share=share), iou
    return best


def region_ious(maps: npt.ArrayLike, masks: npt.ArrayLike, rule: RegionRule) -> Floats:
    """IoU, 0 to 1, of a rule's region with the true mask of each film that has one: float64 [films].

    Same arrays and errors as `calibrate_rule`.
    """
    films = _Films.of(maps, masks)
    return films.ious(films.parts(rule), rule.largest_only, rule.smallest_share)


def mean_iou(maps: npt.ArrayLike, masks: npt.ArrayLike, rule: RegionRule) -> float:
    """The mean of `region_ious`."""
    return float(region_ious(maps, masks, rule).mean())


@dataclass(frozen=True, eq=False)
class _MeasuredParts:
    parts: Parts
    hits: Floats
    """Pixels of each part inside the true mask."""


@dataclass(frozen=True, eq=False)
class _Films:
    """Resampled maps and true masks of the films with the finding."""

    surfaces: npt.NDArray[np.float32]
    shares: npt.NDArray[np.float32]
    masks: npt.NDArray[np.bool_]
    peaks: Floats

    @classmethod
    def of(cls, maps: npt.ArrayLike, masks: npt.ArrayLike) -> _Films:
        values, truth = np.asarray(maps, dtype=np.float32), np.asarray(masks, dtype=np.bool_)
        if values.ndim != 3 or truth.ndim != 3 or len(values) != len(truth):
            raise InvalidValueError(f"maps {values.shape} and masks {truth.shape} must be [n, h, w] and [n, H, W]")
        present = truth.any(axis=(1, 2))
        if not present.any():
            raise InvalidValueError(
                "no film has the finding", next_step="Calibrate on films with true masks of the finding."
            )
        values, truth = values[present], truth[present]
        height, width = truth.shape[1:]
        transform = GridTransform.identity(height, width).resize(*values.shape[1:])
        surfaces = Sampler.to_source(transform, height, width).apply(values)
        positive = np.maximum(values, 0.0)
        total = positive.sum(axis=(1, 2), keepdims=True)
        shares = CellCover.of(transform, height, width).spread(positive / np.where(total > 0.0, total, 1.0))
        peaks = np.where(total[:, 0, 0] > 0.0, surfaces.max(axis=(1, 2)), 0.0).astype(np.float64)
        return cls(surfaces, shares.astype(np.float32), truth, peaks)

    def parts(self, rule: RegionRule) -> _MeasuredParts:
        fraction = rule.kind is RegionRuleKind.PEAK_FRACTION
        thresholds = np.maximum(rule.threshold * self.peaks if fraction else rule.threshold, 0.0)
        thresholds = np.where(self.peaks > 0.0, thresholds, np.inf).astype(np.float32)
        parts = Parts.find(self.surfaces > thresholds[:, None, None], self.shares)
        hits = np.bincount(parts.labels[self.masks], minlength=parts.area.size + 1)[1:]
        return _MeasuredParts(parts, hits.astype(np.float64))

    def ious(self, measured: _MeasuredParts, largest_only: bool, smallest_share: float) -> Floats:
        parts, count = measured.parts, len(self.masks)
        keep = parts.kept(largest_only, smallest_share)
        image = parts.image[keep]
        shared = np.bincount(image, weights=measured.hits[keep], minlength=count)
        area = np.bincount(image, weights=parts.area[keep].astype(np.float64), minlength=count)
        union = area + self.masks.sum(axis=(1, 2)) - shared
        return np.asarray(shared / union, dtype=np.float64)
