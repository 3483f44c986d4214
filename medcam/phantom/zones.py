"""Anatomy masks: six lung zones, heart, mediastinum, below the diaphragm, body, spine."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from medcam.phantom.case import LEFT, RIGHT
from medcam.phantom.thorax import Thorax

Mask = npt.NDArray[np.bool_]

NAMES = {RIGHT: "right", LEFT: "left"}
LUNG_PATH = 9.0
"""mm of lung along the beam that make a pixel count as lung."""


def anatomy_masks(thorax: Thorax) -> Mapping[str, Mask]:
    """bool [size, size] by name. Disjoint except for "body" (which holds all) and "spine".

    Right and left are the patient's. A lung is what is seen above its dome of the diaphragm; its zones are thirds of
    its height. The heart comes before the mediastinum, and both before the lungs.
    """
    grid, patient = thorax.grid, thorax.patient
    body = thorax.body > 12
    floor = np.where(grid.x < 0, thorax.lungs[RIGHT].dome, thorax.lungs[LEFT].dome)
    inner = np.where(grid.x < 0, -grid.x - thorax.lungs[RIGHT].medial, grid.x - thorax.lungs[LEFT].medial)
    heart = thorax.cardiac.silhouette & (grid.y < floor + 2)
    top = patient.apex + 4
    mediastinum = (inner < 0) & (grid.y > top) & (grid.y < floor) & ~heart
    masks: dict[str, Mask] = {"heart": heart, "mediastinum": mediastinum & body}
    width = thorax.lungs[RIGHT].lateral + 22 * patient.scale
    masks["below-diaphragm"] = body & (grid.y >= floor) & (np.abs(grid.x) < width) & ~heart
    for side in (RIGHT, LEFT):
        field = (thorax.lungs[side].path > LUNG_PATH) & (grid.y < thorax.lungs[side].dome) & ~heart & ~mediastinum
        rows = np.flatnonzero(field.any(axis=1))
        edges = np.linspace(rows[0], rows[-1] + 1, 4) if rows.size else np.zeros(4)
        for number, part in enumerate(("upper", "middle", "lower")):
            band = np.zeros_like(field)
            band[round(edges[number]) : round(edges[number + 1])] = True
            masks[f"{NAMES[side]}-{part}-lung"] = field & band & ~masks["below-diaphragm"]
    masks["body"] = body
    masks["spine"] = body & (np.abs(grid.x - 0.4 * patient.rotation) < 19 * patient.scale)
    return masks
