"""What is truly on a phantom: masks, boxes, contrast-to-noise and difficulty."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.ndimage import binary_dilation

from medcam.core.geometry import Box
from medcam.phantom.case import FindingSpec
from medcam.phantom.findings import INSERTERS
from medcam.phantom.grid import Grid, Image
from medcam.phantom.physics import smooth

Mask = npt.NDArray[np.bool_]

MAP_CELLS = 32
"""Masks of thin lines are dilated by one cell of a map of this many cells per side."""

DIFFICULTY_LIMITS: Mapping[str, tuple[float, float]] = {
    "Cardiomegaly": (0.581, 0.637),
    "Pleural Effusion": (2.97, 4.45),
    "Pneumothorax": (1.13, 1.45),
    "Consolidation": (1.08, 1.64),
    "Nodule": (1.19, 1.88),
    "Mass": (1.46, 2.07),
    "Atelectasis": (1.20, 1.63),
    "Support Devices": (0.70, 2.00),
}
"""Upper ends of subtle and moderate per finding, in contrast-to-noise (cardiomegaly: cardiothoracic ratio).

They are the tertiles of 3,000 cases of seed 20261123, so that a third is subtle, a third moderate, a third plain.
"""


@dataclass(frozen=True, eq=False)
class FindingTruth:
    """One finding that is truly there.

    Args:
        name: Its name.
        mask: bool [size, size], the projected footprint.
        box: The tightest box around the mask.
        difficulty: "subtle", "moderate" or "plain".
        contrast_to_noise: Mean change of the detector's logarithm inside the mask over the standard deviation of
            noise and fine anatomy around it; for cardiomegaly the cardiothoracic ratio.
        side: "right", "left" or "".
        parameters: Sizes in mm or ml and density factors.
        kind: Further description (which devices, plate or lobe).
    """

    name: str
    mask: Mask = field(repr=False)
    box: Box
    difficulty: str
    contrast_to_noise: float
    side: str
    parameters: Mapping[str, float]
    kind: str = ""


def make_truth(
    grid: Grid, spec: FindingSpec, footprint: Image, change: Image, clutter: Image, ratio: float
) -> FindingTruth | None:
    """Builds the truth of one finding; None when nothing of it lies on the film.

    Args:
        grid: The detector.
        spec: What was inserted.
        footprint: Its chord length.
        change: Change of the line integral that it caused.
        clutter: Fine anatomy and noise without the finding (see `fine_structure`).
        ratio: Cardiothoracic ratio measured.
    """
    mask = footprint > INSERTERS[spec.name].footprint * float(footprint.max())
    if not mask.any():
        return None
    contrast = ratio if spec.name == "Cardiomegaly" else _contrast_to_noise(grid, mask, change, clutter)
    if spec.name == "Support Devices":
        mask = dilate(mask, grid.size / MAP_CELLS / 2)
    subtle, moderate = DIFFICULTY_LIMITS[spec.name]
    difficulty = "subtle" if contrast < subtle else "moderate" if contrast < moderate else "plain"
    side = {-1: "right", 1: "left"}.get(spec.side, "") if spec.name != "Support Devices" else ""
    box = Box.around(mask)
    return FindingTruth(spec.name, mask, box, difficulty, contrast, side, dict(spec.parameters), spec.kind)


def fine_structure(grid: Grid, signal: Image) -> Image:
    """What hides small things: the signal less its average over 8 mm."""
    return signal - smooth(grid, signal, 8.0)


def _contrast_to_noise(grid: Grid, mask: Mask, change: Image, clutter: Image) -> float:
    step = max(1, grid.size // 128)
    inside = mask[::step, ::step]
    if not inside.any():
        inside = _any_block(mask, step)
    near = dilate(inside, 12.0 / (grid.pitch * step))
    spread = float(clutter[::step, ::step][near].std())
    return float(np.abs(change)[mask].mean()) / max(spread, 1e-4)


def _any_block(mask: Mask, step: int) -> Mask:
    side = mask.shape[0] // step
    return np.asarray(mask[: side * step, : side * step].reshape(side, step, side, step).any(axis=(1, 3)))


def dilate(mask: Mask, radius: float) -> Mask:
    """Dilation by a disc of `radius` pixels (at least one)."""
    reach = max(1, round(radius))
    offsets = np.arange(-reach, reach + 1)
    disc = offsets[:, None] ** 2 + offsets[None, :] ** 2 <= (reach + 0.3) ** 2
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if rows.size == 0:
        return mask
    area = (
        slice(max(0, rows[0] - reach), rows[-1] + reach + 1),
        slice(max(0, columns[0] - reach), columns[-1] + reach + 1),
    )
    grown = mask.copy()
    grown[area] = binary_dilation(mask[area], structure=disc)
    return grown
