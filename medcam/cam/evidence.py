"""The ledger of one logit: which part of the film each share of it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from medcam.cam.cells import Array, CellCover
from medcam.core.activation import ActivationMap
from medcam.core.errors import InvalidValueError
from medcam.core.finding import Evidence
from medcam.core.geometry import GridTransform
from medcam.core.zones import OUTSIDE, ZONES, Zones


def evidence(activation: ActivationMap, zones: Zones | None = None, *, minimum_quality: float = 0.0) -> Evidence:
    """Splits the evidence of a map over anatomical zones, exactly.

    Each cell's value is split by the fraction of the cell's *area* that each zone covers. What lies outside the film
    (padding of the model's input) counts as "outside-body". So the zones sum to the mean of the map, and with the bias
    to the logit (Zhou et al. 2015, equation 2). Of a PCAM head (Ye et al. 2020), whose cells are weighted already, they
    sum to the sum of the map: a zone has the sum over its cells. The split is over the feature grid:
    a cell sees beyond itself.

    Args:
        activation: The raw map, of a head with a ledger.
        zones: Disjoint zones over the whole film, on a grid of any resolution; None when unknown.
        minimum_quality: Zones of a lower quality are not used: a wrong place is worse than no place.

    Returns:
        The ledger in logit units. `zones` is None without zones or when their quality is too low; `zones_source` and
        `zones_quality` then still say what was refused.

    Raises:
        InvalidValueError: The map has no ledger (the message says why), or the minimum is no quality.
    """
    if not activation.ledger:
        assert activation.relation is not None
        raise InvalidValueError(
            f"maps by {activation.method!r} do not add up to a logit, they have no ledger: "
            f"the logit is {activation.relation.words}",
            next_step="Use a model with a GAP or PCAM head for ledgers; regions and pictures work without.",
        )
    if not 0.0 <= minimum_quality <= 1.0:
        raise InvalidValueError(f"a quality lies between 0 and 1, not {minimum_quality}")
    values = activation.values.astype(np.float64)
    positive = float(np.maximum(values, 0.0).sum()) * activation.cell_weight
    negative = float(np.minimum(values, 0.0).sum()) * activation.cell_weight
    if zones is None:
        return Evidence(activation.bias, positive, negative)
    split = _split(activation, zones) if zones.quality >= minimum_quality else None
    return Evidence(activation.bias, positive, negative, split, zones.source, zones.quality)


def _split(activation: ActivationMap, zones: Zones) -> dict[str, float]:
    values = activation.values.astype(np.float64) * activation.cell_weight
    covered = _fractions(zones, activation.transform)
    split, rest = {}, np.ones_like(values)
    for name, fractions in covered.items():
        rest -= fractions
        split[name] = float((values * fractions).sum())
    # Outside the body is what remains: so the sum is exact, and padding beyond the film is in it.
    split[OUTSIDE] = float((values * rest).sum())
    return split


@lru_cache(maxsize=16)
def _fractions(zones: Zones, transform: GridTransform) -> Mapping[str, Array]:
    """How much of each cell each zone but the outside covers: the same for all findings of a film."""
    height, width = zones.masks[OUTSIDE].shape
    cover = CellCover.of(transform, height, width)
    return {name: cover.fractions(zones.masks[name]) for name in ZONES if name != OUTSIDE}
