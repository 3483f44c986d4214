"""A finding with the regions and the evidence behind it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from medcam.core.activation import ActivationMap
from medcam.core.codes import CodedConcept
from medcam.core.errors import InvalidValueError
from medcam.core.geometry import Box


@dataclass(frozen=True, slots=True)
class Point:
    """A point in source pixels."""

    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Region:
    """A part of the film that a map highlights, in source pixels.

    Args:
        box: The tightest box around the region.
        peak: Where the map is highest inside it.
        share: Share of the finding's positive evidence that lies inside, 0 to 1.
        contour: Outline, a closed polygon; empty when not asked for.
        rule: Name of the region rule that drew it.
    """

    box: Box
    peak: Point
    share: float
    contour: tuple[Point, ...] = field(default=(), repr=False)
    rule: str = ""

    def __post_init__(self) -> None:
        if not 0.0 <= self.share <= 1.0 + 1e-6:
            raise InvalidValueError(f"a share lies between 0 and 1, not {self.share}")


class ZonesSource(StrEnum):
    """Where the zones of an evidence ledger come from."""

    PHANTOM = "phantom"
    REGISTRATION = "registration"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Evidence:
    """The ledger of one logit: bias + evidence over disjoint zones, area-weighted.

    Args:
        bias: The finding's bias.
        total_positive: What the map's positive values add to the logit, at least 0: their sum over the number of cells
            (GAP), or their sum (PCAM).
        total_negative: The same of the negative values, at most 0.
        zones: Logit units per zone, summing to total_positive + total_negative; None where zones are unknown or poor.
        zones_source: How the zones were found.
        zones_quality: 0 (useless) to 1 (exact), None without zones.
    """

    bias: float
    total_positive: float
    total_negative: float
    zones: Mapping[str, float] | None = None
    zones_source: ZonesSource = ZonesSource.NONE
    zones_quality: float | None = None

    def __post_init__(self) -> None:
        if self.total_positive < 0 or self.total_negative > 0:
            raise InvalidValueError("positive evidence is at least 0, negative evidence at most 0")
        if self.zones is not None:
            total = self.total_positive + self.total_negative
            if not math.isclose(sum(self.zones.values()), total, rel_tol=1e-4, abs_tol=1e-3):
                raise InvalidValueError("the zones of an evidence ledger must add up to the map's total")

    @property
    def logit(self) -> float:
        """The sum of the ledger."""
        return self.bias + self.total_positive + self.total_negative


@dataclass(frozen=True, eq=False)
class Finding:
    """What a model says about one finding on one radiograph.

    Args:
        name: The finding's name as on the model card.
        code: SNOMED CT or RadLex code, None when the card has none.
        probability: Logistic function of the logit, 0 to 1.
        logit: bias + mean of the map (GAP); see `Relation` for other heads.
        threshold: Operating threshold on the probability.
        present: probability >= threshold; None when withheld (out of distribution).
        map: The raw map.
        evidence: The ledger; None for heads without one.
        regions: By the model's calibrated rule and by the paper's, strongest first.
    """

    name: str
    code: CodedConcept | None
    probability: float
    logit: float
    threshold: float
    present: bool | None
    map: ActivationMap
    evidence: Evidence | None
    regions: tuple[Region, ...] = ()

    def __post_init__(self) -> None:
        if not 0.0 <= self.probability <= 1.0:
            raise InvalidValueError(f"a probability lies between 0 and 1, not {self.probability}")
        if not math.isfinite(self.logit):
            raise InvalidValueError("a logit must be finite")
