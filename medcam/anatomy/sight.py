"""Looking for the lungs on a film: roughly by the atlas, then as they are seen."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from medcam.anatomy.air import outer_air
from medcam.anatomy.atlas import Atlas
from medcam.anatomy.film import WorkingFilm
from medcam.anatomy.lungs import LungFields, lay, lung_fields
from medcam.anatomy.search import Placement, find_lungs_roughly
from medcam.core.arrays import BoolArray

LEAK = 0.35
"""Where more than this share of the expected lungs is taken for outer air, it is lung that the air has leaked into."""


@dataclass(frozen=True, eq=False)
class Sight:
    """What was seen on a film.

    Args:
        placement: Where the lungs lie, roughly.
        air: bool [height, width], neither body nor film.
        fields: The lungs.
    """

    placement: Placement
    air: BoolArray = field(repr=False)
    fields: LungFields


def look(film: WorkingFilm, atlas: Atlas) -> Sight:
    """Looks for the lungs.

    Args:
        film: The working picture; it must have some structure.
        atlas: The atlas.
    """
    air = outer_air(film.values, film.valid)
    placement = find_lungs_roughly(film.values, ~air, atlas)
    for lung in (atlas.right_lung, atlas.left_lung):
        air = without_leaks(air, lay(lung, placement.box, air.shape, 0.03) > 0.5) | ~film.valid
    return Sight(placement, air, lung_fields(film.values, ~air, placement, atlas))


def without_leaks(air: BoolArray, lungs: BoolArray) -> BoolArray:
    """Outer air less the lungs, where it has leaked into them."""
    leaked = float((air & lungs).sum()) > LEAK * max(1.0, float(lungs.sum()))
    return np.asarray(air & ~lungs) if leaked else air
