"""The standard's formulas, value by value, written down once more and apart from the pipeline that they check.

Nothing here is shared with `medcam.dicom.grayscale`, `lut`, `voi` or `medcam.core.display`: plain Python over plain
numbers, as near to the text of DICOM PS3.3 as Python gets. Output ranges are 0 to 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.floating[Any]]


def each(rule: Callable[[float], float], values: npt.ArrayLike) -> Numbers:
    """A rule for one value, applied to every value of an array of any shape."""
    array = np.asarray(values, dtype=np.float64)
    return np.array([rule(float(value)) for value in array.ravel()], dtype=np.float64).reshape(array.shape)


def linear(center: float, width: float) -> Callable[[float], float]:
    """VOI LUT Function LINEAR (C.11.2.1.2.1), with ymin = 0 and ymax = 1."""

    def rule(x: float) -> float:
        if x <= center - 0.5 - (width - 1) / 2:
            return 0.0
        if x > center - 0.5 + (width - 1) / 2:
            return 1.0
        return (x - (center - 0.5)) / (width - 1) + 0.5

    return rule


def linear_exact(center: float, width: float) -> Callable[[float], float]:
    """VOI LUT Function LINEAR_EXACT (C.11.2.1.3.2)."""

    def rule(x: float) -> float:
        if x <= center - width / 2:
            return 0.0
        if x > center + width / 2:
            return 1.0
        return (x - center) / width + 0.5

    return rule


def sigmoid(center: float, width: float) -> Callable[[float], float]:
    """VOI LUT Function SIGMOID (C.11.2.1.3.1)."""
    return lambda x: 1.0 / (1.0 + math.exp(-4.0 * (x - center) / width))


def lookup(entries: Sequence[int], first: int, full: int = 1) -> Callable[[float], float]:
    """Modality LUT or VOI LUT (C.11.1.1, C.11.2.1.1): values beyond the table take its first and its last entry.

    Args:
        entries: LUT Data.
        first: First value mapped.
        full: What the entry is divided by: 2 ** bits - 1 for brightness.
    """

    def rule(x: float) -> float:
        index = round(x) - first
        if index < 0:
            return entries[0] / full
        if index >= len(entries):
            return entries[-1] / full
        return entries[index] / full

    return rule


def rescale(slope: float, intercept: float) -> Callable[[float], float]:
    """Output units = slope * stored value + intercept (C.11.1.1.2)."""
    return lambda x: slope * x + intercept


def luminance(red: float, green: float, blue: float) -> float:
    """Y of red, green and blue (C.7.6.3.1.2, CCIR Recommendation 601-2)."""
    return 0.2990 * red + 0.5870 * green + 0.1140 * blue


def percentile_window(values: npt.ArrayLike, low: float = 0.5, high: float = 99.5) -> Callable[[float], float]:
    """What medcam shows where a file names no window: its own choice, not the standard's."""
    bottom, top = np.percentile(np.asarray(values, dtype=np.float64), [low, high])
    return lambda x: min(1.0, max(0.0, (x - bottom) / (top - bottom)))
