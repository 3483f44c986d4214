"""Two explanations of one film side by side: by two models, or by two methods of one."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from medcam.cam.regions import WORKING_SIDE, peak, region_mask, working_grid
from medcam.core.card import RegionRule
from medcam.core.codes import slug
from medcam.core.errors import InvalidValueError
from medcam.core.explanation import Explanation
from medcam.core.finding import Finding, Point
from medcam.core.radiograph import PixelSpacing
from medcam.evaluate.localisation import mask_iou


@dataclass(frozen=True, eq=False)
class FindingPair:
    """What two explanations say of one finding.

    Args:
        name: The finding's name.
        left: By the first; None where it does not know the finding.
        right: By the second; likewise.
    """

    name: str
    left: Finding | None = field(repr=False)
    right: Finding | None = field(repr=False)

    @property
    def is_shared(self) -> bool:
        """Whether both know the finding."""
        return self.left is not None and self.right is not None

    @property
    def probability_difference(self) -> float | None:
        """Right minus left; None where one of them does not know the finding."""
        return None if not (self.left and self.right) else self.right.probability - self.left.probability

    @property
    def logit_difference(self) -> float | None:
        """Right minus left, in logit units; None where one of them does not know the finding."""
        return None if not (self.left and self.right) else self.right.logit - self.left.logit


@dataclass(frozen=True, slots=True)
class RegionAgreement:
    """How far the regions of two explanations of a finding agree.

    Args:
        iou: Intersection over union of all regions, 0 to 1; None where neither has one.
        left_share: Share of the film that the first one's regions cover, 0 to 1.
        right_share: The same of the second.
        peak_pixels: Distance between the highest points of both maps, in source pixels.
        peak_mm: The same in mm, by the film's pixel spacing; None where it is unknown.
    """

    iou: float | None
    left_share: float
    right_share: float
    peak_pixels: float
    peak_mm: float | None


def finding_pairs(left: Explanation, right: Explanation) -> list[FindingPair]:
    """The findings of two explanations: those that both know first, in the order of the first one."""
    known = {slug(finding.name): finding for finding in right.findings}
    pairs = [FindingPair(found.name, found, known.pop(slug(found.name), None)) for found in left.findings]
    pairs += [FindingPair(found.name, None, found) for found in known.values()]
    return sorted(pairs, key=lambda pair: not pair.is_shared)


def region_agreement(
    left: Finding, right: Finding, rules: tuple[RegionRule, RegionRule], spacing: PixelSpacing | None
) -> RegionAgreement:
    """Compares where two explanations of a finding point to.

    Args:
        left: By the first.
        right: By the second, of the same film.
        rules: The region rule of each one's model.
        spacing: mm between the film's pixels; None when unknown.

    Raises:
        InvalidValueError: The maps are of films of different size.
    """
    sizes = [(one.map.transform.source_height, one.map.transform.source_width) for one in (left, right)]
    if sizes[0] != sizes[1]:
        raise InvalidValueError("two explanations of films of different size cannot be compared")
    grid = working_grid(left.map, WORKING_SIDE)
    first, second = (region_mask(one.map, rule, *grid) for one, rule in zip((left, right), rules, strict=True))
    peaks = peak(left.map), peak(right.map)
    return RegionAgreement(
        iou=mask_iou(first, second) if (first | second).any() else None,
        left_share=float(first.mean()),
        right_share=float(second.mean()),
        peak_pixels=_distance(*peaks, 1.0, 1.0),
        peak_mm=None if spacing is None else _distance(*peaks, spacing.column, spacing.row),
    )


def _distance(first: Point, second: Point, across: float, down: float) -> float:
    return math.hypot((second.x - first.x) * across, (second.y - first.y) * down)
