"""How far the maps and regions of two models agree on a film, and what maps of different films give."""

from __future__ import annotations

from dataclasses import dataclass, field

from medcam.core.activation import ActivationMap
from medcam.core.arrays import BoolArray, FloatArray
from medcam.core.finding import Finding, Point
from medcam.core.geometry import GridTransform
from medcam.core.resample import Sampler
from medcam.evaluate.agreement_regions import outline_iou
from medcam.evaluate.model_agreement import map_correlation

SIDE = 64
"""Rows and columns of the grid over the whole film on which maps are compared."""


@dataclass(frozen=True, slots=True)
class MapAgreement:
    """Two models' maps of one finding of one film.

    Args:
        correlation: Pearson's, over what both saw of the film; None where a map is the same everywhere.
        chance: The first's map with the second's map of another patient's film; None for the first patient.
        region_iou: Of their regions; None where neither has one, 0 where one alone has.
    """

    correlation: float | None
    chance: float | None
    region_iou: float | None


@dataclass(frozen=True, eq=False)
class _Raster:
    values: FloatArray = field(repr=False)
    seen: BoolArray = field(repr=False)


@dataclass(eq=False)
class MapPairs:
    """Goes through films one after another and keeps the second model's maps of two patients at the most."""

    _patient: str | None = None
    _now: dict[str, _Raster] = field(default_factory=dict, repr=False)
    _last: dict[str, _Raster] = field(default_factory=dict, repr=False)
    _samplers: dict[GridTransform, Sampler] = field(default_factory=dict, repr=False)

    def next_film(self, patient: str) -> None:
        """Goes on to a film of this patient."""
        if patient != self._patient:
            self._patient, self._last = patient, self._now
        self._now = {}
        self._samplers = {}

    def compare(self, first: Finding, second: Finding) -> MapAgreement:
        """Compares what two models say of a finding of the film."""
        one, other = self._raster(first.map), self._raster(second.map)
        self._now[second.name] = other
        stranger = self._last.get(second.name)
        return MapAgreement(
            correlation=map_correlation(one.values, other.values, one.seen & other.seen),
            chance=None if stranger is None else map_correlation(one.values, stranger.values, one.seen & stranger.seen),
            region_iou=_region_iou(first, second),
        )

    def _raster(self, activation: ActivationMap) -> _Raster:
        transform = activation.transform
        if transform not in self._samplers:
            self._samplers[transform] = Sampler.to_source(transform, SIDE, SIDE)
        sampler = self._samplers[transform]
        return _Raster(sampler.apply(activation.values), sampler.inside)


def _region_iou(first: Finding, second: Finding) -> float | None:
    one, other = _outlines(first), _outlines(second)
    if not one and not other:
        return None
    return outline_iou(one, other) if one and other else 0.0


def _outlines(finding: Finding) -> list[tuple[Point, ...]]:
    """The outlines by the finding's first rule."""
    return [
        tuple(region.contour)
        for region in finding.regions
        if region.rule == finding.regions[0].rule and len(region.contour) > 2
    ]
