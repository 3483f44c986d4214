"""Looking for the lungs on a film: roughly by the atlas, then as they are seen."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from medcam.anatomy.atlas import Atlas
from medcam.anatomy.film import WorkingFilm
from medcam.anatomy.flank import flanks
from medcam.anatomy.lungs import LungFields, lay, lung_fields, outlines
from medcam.anatomy.search import Placement, find_lungs_roughly
from medcam.core.arrays import BoolArray

LEAK = 0.35
"""Where more than this share of the expected lungs is taken for outer air, it is lung that the air has leaked into."""


SURE = 0.95
"""Where the atlas, laid on the film, expects lung with this probability, there surely is some."""
DOUBT = 0.03
"""How uncertain the atlas's outlines are then, as a share of the lungs' box."""


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
    """Looks for the lungs: twice, since only who knows where they are can tell the flanks beside them from them.

    Args:
        film: The working picture; it must have some structure.
        atlas: The atlas.
    """
    values, air = film.values, film.air
    first = find_lungs_roughly(values, ~air, atlas)
    cores = np.zeros_like(air)
    for lung in outlines(atlas, DOUBT):
        expected = lay(lung, first.box, air.shape)
        air = without_leaks(air, expected > 0.5) | ~film.valid
        cores |= expected > SURE
    known = ~flanks(values, air, cores & ~air)
    placement = find_lungs_roughly(values, known, atlas)
    return Sight(placement, air, lung_fields(values, known, placement, atlas))


def without_leaks(air: BoolArray, lungs: BoolArray) -> BoolArray:
    """Outer air less the lungs, where it has leaked into them."""
    leaked = float((air & lungs).sum()) > LEAK * max(1.0, float(lungs.sum()))
    return np.asarray(air & ~lungs) if leaked else air
