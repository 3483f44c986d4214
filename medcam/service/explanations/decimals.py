"""Numbers of float32 as short decimals, many at a time."""

from __future__ import annotations

import numpy as np

from medcam.core.arrays import FloatArray


def shortest_decimals(values: FloatArray) -> list[float]:
    """The shortest decimals that give the same float32 again, row-major.

    Rounded to six digits and more until they do, which nine always do: a float32 tells all decimals of six apart.
    A whole number over a power of ten that float64 holds exactly is the nearest one to its decimal; values too large or
    too small for that go NumPy's own way, which takes several times as long.

    Args:
        values: float32 of any shape, finite.
    """
    single = values.ravel().astype(np.float32)
    exact = single.astype(np.float64)
    sizes = np.abs(exact)
    if not ((sizes == 0.0) | ((sizes > 1e-12) & (sizes < 1e6))).all():
        return list(single.astype(str).astype(np.float64).tolist())
    shortest = exact.copy()
    left = np.flatnonzero(exact)
    places = -np.floor(np.log10(sizes[left])).astype(np.int64) - 1
    for digits in range(6, 10):
        scale = 10.0 ** np.clip(places + digits, 0, 22)
        rounded = np.rint(exact[left] * scale) / scale
        same = rounded.astype(np.float32) == single[left]
        shortest[left[same]] = rounded[same]
        left, places = left[~same], places[~same]
    return list(shortest.tolist())
