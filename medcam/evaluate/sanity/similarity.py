"""How alike two maps are, by the three measures of Adebayo et al. (2018, section 3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata
from skimage.feature import hog
from skimage.metrics import structural_similarity

from medcam.core.errors import InvalidValueError

Floats = npt.NDArray[np.float64]
_FLAT = 1e-9


def spearman(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """Spearman's rank correlation of two maps, with their signs; 0 where one is the same everywhere."""
    a, b = _pair(first, second)
    if _flat(a) or _flat(b):
        return 0.0
    return float(np.corrcoef(rankdata(a.ravel()), rankdata(b.ravel()))[0, 1])


def ssim(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """Structural similarity (Wang et al. 2004) of two maps, each scaled to 0..1 by its own range; window 7.

    A map that is the same everywhere has no structure, and is like no other: 0.
    """
    a, b = _pair(first, second)
    if _flat(a) or _flat(b):
        return 0.0
    side = min(7, min(a.shape) - (1 - min(a.shape) % 2))
    return float(structural_similarity(_unit(a), _unit(b), data_range=1.0, win_size=side))


def hog_correlation(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """Pearson correlation of histograms of oriented gradients (Dalal and Triggs 2005) of two maps scaled to 0..1.

    9 directions, cells of 8 pixels, one cell per block; 0 where a map has no gradients.
    """
    a, b = _pair(first, second)
    one, other = (hog(_unit(each), orientations=9, pixels_per_cell=(8, 8), cells_per_block=(1, 1)) for each in (a, b))
    return 0.0 if _flat(one) or _flat(other) else float(np.corrcoef(one, other)[0, 1])


MEASURES: Mapping[str, Callable[[npt.ArrayLike, npt.ArrayLike], float]] = {
    "spearman": spearman,
    "ssim": ssim,
    "hog": hog_correlation,
}


def _pair(first: npt.ArrayLike, second: npt.ArrayLike) -> tuple[Floats, Floats]:
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if a.ndim != 2 or a.shape != b.shape or min(a.shape) < 3 or not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise InvalidValueError("maps are compared on one finite grid [h, w] of at least 3 x 3")
    return a, b


def _flat(values: Floats) -> bool:
    return bool(np.ptp(values) <= _FLAT * max(1e-30, float(np.abs(values).max())))


def _unit(values: Floats) -> Floats:
    low, span = float(values.min()), float(np.ptp(values))
    return np.zeros_like(values) if _flat(values) else np.asarray((values - low) / span)
