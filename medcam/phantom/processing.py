"""What a vendor makes of the detector's logarithm: equalisation, edge enhancement, look-up table, storage."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from medcam.phantom.case import Acquisition
from medcam.phantom.grid import Grid, Image
from medcam.phantom.physics import smooth

EDGE_RANGES = (0.7, 3.0)
"""mm: the two bands that edge enhancement lifts."""
BACKGROUND_RANGE = 14.0
"""mm: what counts as slow background."""
HEADROOM = 1.12
"""Values up to this multiple of the window still differ; beyond they are clipped."""


@dataclass(frozen=True, eq=False)
class Levels:
    """Window of the processed signal: set from the patient without findings, so that a finding does not move it."""

    low: float
    high: float


def enhance(grid: Grid, signal: Image, acquisition: Acquisition) -> Image:
    """Equalises and enhances; float32 [size, size], denser is larger."""
    fine = signal - smooth(grid, signal, EDGE_RANGES[0])
    coarse = signal - smooth(grid, signal, EDGE_RANGES[1])
    background = smooth(grid, signal, BACKGROUND_RANGE)
    enhanced = signal + 0.35 * acquisition.edge * fine + acquisition.edge * coarse - acquisition.equalise * background
    return np.asarray(enhanced, dtype=np.float32)


def find_levels(enhanced: Image) -> Levels:
    """Levels from the 1st percentile to a little above the 99th, where the spine will lie."""
    low, high = np.percentile(enhanced, [1.0, 99.0])
    return Levels(float(low), float(high + 0.06 * max(high - low, 1e-3)))


def look_up(enhanced: Image, levels: Levels, acquisition: Acquisition) -> Image:
    """0 to 1, denser is brighter: levels, headroom and the vendor's gamma."""
    share = np.clip((enhanced - levels.low) / (levels.high - levels.low), 0.0, HEADROOM) / HEADROOM
    return np.asarray(share**acquisition.gamma, dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Stored:
    """What goes into the file.

    Args:
        pixels: uint16 [size, size].
        voi_function: "LINEAR" or "SIGMOID"; None where a table is given.
        window_center: Window Center in stored values, None with a table.
        window_width: Window Width.
        voi_table: uint16 [2 ** bits_stored] of 8-bit brightness for stored values, None with a window.
    """

    pixels: npt.NDArray[np.uint16] = field(repr=False)
    voi_function: str | None
    window_center: float | None
    window_width: float | None
    voi_table: npt.NDArray[np.uint16] | None = field(default=None, repr=False)


def store(linear: Image, acquisition: Acquisition) -> Stored:
    """Quantises; MONOCHROME1 stores the inverse, and its window or table refers to the stored values."""
    top = 2**acquisition.bits_stored - 1
    values = np.rint(linear * top).astype(np.uint16)
    inverse = acquisition.photometric == "MONOCHROME1"
    if inverse:
        values = (top - values).astype(np.uint16)
    middle, width = 0.5 * (top + 1), float(top + 1)
    if acquisition.voi == "table":
        ramp = np.linspace(0, 1, top + 1)
        curve = 1 / (1 + np.exp(-5.0 * (ramp - 0.5)))
        table = (curve - curve[0]) / (curve[-1] - curve[0])
        return Stored(values, None, None, None, np.rint(table * 255).astype(np.uint16))
    if acquisition.voi == "sigmoid":
        return Stored(values, "SIGMOID", middle, width * 0.9)
    if acquisition.voi == "narrow":
        return Stored(values, "LINEAR", middle * (0.96 if inverse else 1.04), width * 0.9)
    return Stored(values, "LINEAR", middle, width)
