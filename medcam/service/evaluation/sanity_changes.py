"""Changes of an input that a map has to bear, and how the map is brought back to where it was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from medcam.core.arrays import FloatArray
from medcam.evaluate.faithfulness.grid import cell_means

GRID = 32
"""Side of the grid on which maps are compared."""
NOISE, CONTRAST, SHIFT, CROP = 0.02, 1.15, 0.1, 0.05
"""Noise and shift in standard deviations of the input, the factor of contrast, the share that is cropped per side."""
_FINE = 20
Maps = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Change:
    """One change.

    Args:
        test: Its name in records.
        detail: How far.
        decides: Whether a verdict rests on it.
        inputs: float32 [n, channels, height, width] to the same, changed.
        expected: Maps [n, GRID, GRID] of the untouched inputs to what the changed ones should have.
    """

    test: str
    detail: str
    decides: bool
    inputs: Callable[[FloatArray, int], FloatArray] = field(repr=False)
    expected: Callable[[Maps], Maps] = field(repr=False)


def _noisy(inputs: FloatArray, seed: int) -> FloatArray:
    noise = np.random.default_rng(seed).standard_normal(inputs.shape)
    return np.asarray(inputs + NOISE * float(inputs.std()) * noise, dtype=np.float32)


def _windowed(inputs: FloatArray, _seed: int) -> FloatArray:
    middle, spread = float(inputs.mean()), float(inputs.std())
    return np.asarray(middle + CONTRAST * (inputs - middle) + SHIFT * spread, dtype=np.float32)


def _cropped(inputs: FloatArray, _seed: int) -> FloatArray:
    height, width = inputs.shape[2:]
    down, along = (CROP * side + (np.arange(side) + 0.5) * (1.0 - 2.0 * CROP) - 0.5 for side in (height, width))
    grid = np.meshgrid(down, along, indexing="ij")
    taken = [[ndimage.map_coordinates(one, grid, order=1, mode="nearest") for one in image] for image in inputs]
    return np.asarray(taken, dtype=np.float32)


def _same(maps: Maps) -> Maps:
    return maps


def _cropped_maps(maps: Maps) -> Maps:
    fine = np.repeat(np.repeat(maps, _FINE, axis=1), _FINE, axis=2)
    edge = round(CROP * GRID * _FINE)
    return cell_means(fine[:, edge:-edge, edge:-edge], GRID, GRID)


CHANGES = (
    Change("input noise", f"SD {NOISE:g} of the input's", True, _noisy, _same),
    Change("window", f"contrast x {CONTRAST:g}, brightness + {SHIFT:g} SD", True, _windowed, _same),
    Change("crop", f"{100 * CROP:g} % off each side", True, _cropped, _cropped_maps),
    # A mirrored chest is another patient, with the heart on the other side: what changes may be the model's right.
    Change(
        "flip",
        "left and right",
        False,
        lambda inputs, _: np.ascontiguousarray(inputs[..., ::-1]),
        lambda maps: maps[..., ::-1],
    ),
)
