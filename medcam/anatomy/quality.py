"""How far zones found by registration may be trusted: agreement and plausibility, from 0 to 1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from medcam.anatomy.atlas import Atlas
from medcam.anatomy.lungs import LungFields
from medcam.anatomy.register import Registration
from medcam.core.arrays import BoolArray, FloatArray
from medcam.core.zones import LUNG_ZONES

MIN_QUALITY = 0.5
"""Zones of a lower quality are to be dropped; see docs/explanation/anatomy.md for how it was chosen."""

UNLIKELY = 0.05
"""Of a lower likeness a film is taken for no frontal chest film; docs/explanation/choosing-films.md has the figures."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """What the quality is made of.

    Args:
        correlation: Of film and atlas where the lungs were found, less what it is for the film turned over or sideways
            where that fits better; -1 to 1.
        overlap: Dice coefficient of the lungs seen and the atlas's visible lungs as carried over, 0 to 1.
        separation: Brightness between lungs and their surroundings, in standard deviations.
        below: The same of the tissue below the diaphragm against the lungs; None where the film ends above it.
        balance: Smaller over larger lung, as seen, 0 to 1.
        stretch: Largest natural logarithm of a scale of the affine step, and of the lungs' aspect against the atlas's.
        turn: Rotation of the affine step in degrees.
        inside: Share of the carried lungs that lie on the body in the film, 0 to 1.
    """

    correlation: float
    overlap: float
    separation: float
    below: float | None
    balance: float
    stretch: float
    turn: float
    inside: float

    @property
    def quality(self) -> float:
        """0 (useless) to 1: the product of a ramp for each part, since each of them alone can spoil the zones."""
        parts = (
            _ramp(self.correlation, 0.40, 0.65),
            _ramp(self.overlap, 0.90, 0.955),
            _ramp(self.separation, 0.8, 2.3),
            1.0 if self.below is None else _ramp(self.below, 0.4, 1.8),
            _ramp(self.balance, 0.25, 0.6),
            _ramp(-self.stretch, -0.70, -0.40),
            _ramp(-abs(self.turn), -25.0, -12.0),
            _ramp(self.inside, 0.75, 0.95),
        )
        return float(np.prod(parts))

    @property
    def likeness(self) -> float:
        """0 (no frontal chest film) to 1: as `quality`, with ramps so long that a bad film of a chest keeps some."""
        parts = (
            _ramp(self.correlation, 0.10, 0.65),
            _ramp(self.overlap, 0.85, 0.955),
            _ramp(self.separation, 0.0, 2.3),
            1.0 if self.below is None else _ramp(self.below, -0.6, 1.8),
            _ramp(self.balance, 0.0, 0.6),
            _ramp(-self.stretch, -1.20, -0.40),
            _ramp(-abs(self.turn), -40.0, -12.0),
            _ramp(self.inside, 0.50, 0.95),
        )
        return float(np.prod(parts))


def agreement(
    correlation: float,
    contrast: FloatArray,
    body: BoolArray,
    fields: LungFields,
    registration: Registration,
    zones: dict[str, BoolArray],
    atlas: Atlas,
) -> Agreement:
    """Compares a film with the zones that were carried onto it.

    Args:
        correlation: Of the search, see `Agreement`.
        contrast: float32 [height, width], local contrast of the working picture.
        body: bool [height, width], no outer air and no padding.
        fields: The lungs seen.
        registration: The transform.
        zones: bool [height, width] per name of `BODY_ZONES`, before they were cut at the body's edge.
        atlas: The atlas.

    Returns:
        The parts of the quality.
    """
    carried = np.any([zones[name] for name in LUNG_ZONES], axis=0)
    seen, expected = fields.both > 0.5, registration.carry(atlas.visible, body.shape) > 0.5
    halves = [float(np.any([zones[name] for name in half], axis=0).sum()) for half in (LUNG_ZONES[:3], LUNG_ZONES[3:])]
    box = fields.box
    aspect = np.log((box[3] - box[1]) / (box[2] - box[0]) / atlas.aspect)
    scales = np.linalg.svd(registration.matrix, compute_uv=False)
    centre = zones["heart"] | zones["mediastinum"]
    return Agreement(
        correlation=correlation,
        overlap=2.0 * float((expected & seen).sum()) / max(1.0, float(expected.sum() + seen.sum())),
        separation=_distance(contrast, carried & body, centre & body) or 0.0,
        below=_distance(contrast, carried & body, zones["below-diaphragm"] & body),
        balance=min(halves) / max(1.0, *halves),
        stretch=float(max(np.abs(np.log(np.maximum(scales, 1e-3))).max(), abs(aspect))),
        turn=_turn(registration.matrix),
        inside=float((carried & body).sum()) / max(1.0, float(carried.sum())),
    )


def _distance(values: FloatArray, dark: BoolArray, bright: BoolArray) -> float | None:
    if min(dark.sum(), bright.sum()) < 0.05 * max(dark.sum(), 1):
        return None
    spread = max(0.2, float(np.hypot(values[dark].std(), values[bright].std()) / np.sqrt(2.0)))
    return float(values[bright].mean() - values[dark].mean()) / spread


def _turn(matrix: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
    return float(np.degrees(np.arctan2(matrix[1, 0] - matrix[0, 1], matrix[0, 0] + matrix[1, 1])))


def _ramp(value: float, low: float, high: float) -> float:
    return float(np.clip((value - low) / (high - low), 0.0, 1.0))
