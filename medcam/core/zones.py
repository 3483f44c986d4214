"""Where the anatomy lies on a film: disjoint zones that an evidence ledger is split over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from medcam.core.arrays import BoolArray, frozen_array
from medcam.core.errors import InvalidValueError
from medcam.core.finding import ZonesSource

LUNG_ZONES = (
    "right-upper-lung",
    "right-middle-lung",
    "right-lower-lung",
    "left-upper-lung",
    "left-middle-lung",
    "left-lower-lung",
)
BODY_ZONES = (*LUNG_ZONES, "heart", "mediastinum", "below-diaphragm")
ELSEWHERE = "elsewhere-in-body"
OUTSIDE = "outside-body"
ZONES = (*BODY_ZONES, ELSEWHERE, OUTSIDE)
"""The zones of a ledger, in the order they are shown. Right and left are the patient's."""


@dataclass(frozen=True, eq=False)
class Zones:
    """Disjoint zones over the whole film.

    Args:
        masks: bool [height, width] per name of `ZONES`; together they cover every pixel exactly once. The grid may be
            coarser than the source but has its extent: first pixel at the film's top left corner, last at its bottom
            right.
        source: Where they come from.
        quality: 0 (useless) to 1 (exact).
    """

    masks: Mapping[str, BoolArray] = field(repr=False)
    source: ZonesSource
    quality: float

    def __post_init__(self) -> None:
        if set(self.masks) != set(ZONES):
            raise InvalidValueError(f"zones need exactly the masks {', '.join(ZONES)}")
        masks = {name: frozen_array(self.masks[name], np.bool_, 2, name) for name in ZONES}
        if len({mask.shape for mask in masks.values()}) != 1:
            raise InvalidValueError("zone masks differ in shape")
        if not np.equal(sum(mask.astype(np.uint8) for mask in masks.values()), 1).all():
            raise InvalidValueError("zones must be disjoint and cover the film")
        if not 0.0 <= self.quality <= 1.0:
            raise InvalidValueError("a quality lies between 0 and 1")
        object.__setattr__(self, "masks", masks)

    @classmethod
    def from_anatomy(cls, anatomy: Mapping[str, BoolArray], *, source: ZonesSource, quality: float) -> Zones:
        """Builds disjoint zones from anatomy masks that may overlap.

        Args:
            anatomy: bool [height, width] for each name of `BODY_ZONES` and "body"; further masks are ignored.
            source: Where they come from.
            quality: 0 to 1.

        Returns:
            Zones, where an earlier name of heart, mediastinum, below-diaphragm, lung zones takes a contested pixel.
        """
        body = np.asarray(anatomy["body"], dtype=np.bool_)
        taken = np.zeros_like(body)
        masks: dict[str, BoolArray] = {}
        for name in ("heart", "mediastinum", "below-diaphragm", *LUNG_ZONES):
            masks[name] = np.asarray(anatomy[name], dtype=np.bool_) & ~taken
            taken |= masks[name]
        masks[ELSEWHERE] = body & ~taken
        masks[OUTSIDE] = ~body & ~taken
        return cls(masks, source, quality)
