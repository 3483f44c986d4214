"""How well a map's region and peak agree with where a finding truly is."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from medcam.core.arrays import BoolArray
from medcam.core.card import Interval
from medcam.core.errors import InvalidValueError
from medcam.core.finding import Point
from medcam.evaluate.classification import resampled

BOOTSTRAPS = 2000


def mask_iou(found: BoolArray, true: BoolArray) -> float:
    """Intersection over union of two masks [height, width], 0 to 1; two empty masks agree fully.

    Raises:
        InvalidValueError: The masks differ in shape.
    """
    if found.shape != true.shape:
        raise InvalidValueError(f"masks of {found.shape} and {true.shape} cannot be compared")
    union = int((found | true).sum())
    return float((found & true).sum()) / union if union else 1.0


def peak_hits(peak: Point, true: BoolArray, source_height: int, source_width: int) -> bool:
    """The pointing game without tolerance (Zhang et al. 2016): whether a peak in source pixels lies in a true mask.

    Args:
        peak: In source pixels.
        true: bool [height, width] over the same extent as the source, of any resolution.
        source_height: Rows of the source.
        source_width: Columns of the source.
    """
    row = min(int(peak.y * true.shape[0] / source_height), true.shape[0] - 1)
    column = min(int(peak.x * true.shape[1] / source_width), true.shape[1] - 1)
    return bool(true[max(row, 0), max(column, 0)])


def mean_interval(values: npt.ArrayLike, patients: npt.ArrayLike | None = None, *, seed: int = 0) -> Interval:
    """Mean with its 95 % bootstrap interval over patients.

    Args:
        values: [n], at least one.
        patients: [n]; each value is a patient of its own when None.
        seed: Of the bootstrap.

    Raises:
        InvalidValueError: There is no value.
    """
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.ndim != 1 or numbers.size == 0:
        raise InvalidValueError("a mean needs at least one value")
    groups = np.arange(numbers.size) if patients is None else np.asarray(patients, dtype=np.int64)
    means = [float(numbers[index].mean()) for index in resampled(groups, BOOTSTRAPS, seed)]
    low, high = np.percentile(means, [2.5, 97.5])
    value = float(numbers.mean())
    return Interval(value, min(float(low), value), max(float(high), value))


def share_interval(hits: npt.ArrayLike) -> Interval:
    """A share of independent cases with its 95 % interval by Wilson (1927), which has a width at 0 and 1 too.

    Args:
        hits: bool [n], at least one.

    Raises:
        InvalidValueError: There is no case.
    """
    values = np.asarray(hits, dtype=np.bool_)
    if values.ndim != 1 or values.size == 0:
        raise InvalidValueError("a share needs at least one case")
    n, p, z = len(values), float(values.mean()), 1.96
    middle, half = p + z * z / (2 * n), z * float(np.sqrt(p * (1 - p) / n + z * z / (4 * n * n)))
    low, high = (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)
    return Interval(p, max(0.0, min(low, p)), min(1.0, max(high, p)))
