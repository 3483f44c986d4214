"""Whether two samples are of one distribution: tests for numbers, categories and vectors, and Holm's correction.

All take independent cases; whoever calls them sees to that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import pdist, squareform
from scipy.stats import ks_2samp

from medcam.core.errors import InvalidValueError

PERMUTATIONS = 999
MOST_VECTORS = 400
"""Of each sample the kernel test takes at most so many, drawn at random: its time grows with their square."""


@dataclass(frozen=True, slots=True)
class TwoSampleTest:
    """What a test says.

    Args:
        test: Its name.
        statistic: Its statistic.
        p: Probability of one as large if both samples are of one distribution.
        before: Cases of the first sample.
        after: Cases of the second.
    """

    test: str
    statistic: float
    p: float
    before: int
    after: int


def ks_test(before: npt.ArrayLike, after: npt.ArrayLike) -> TwoSampleTest:
    """The two-sample Kolmogorov-Smirnov test (Smirnov 1939) of numbers.

    Raises:
        InvalidValueError: A sample is empty.
    """
    one, other = _numbers(before), _numbers(after)
    found = ks_2samp(one, other, method="auto")
    return TwoSampleTest("Kolmogorov-Smirnov", float(found.statistic), float(found.pvalue), len(one), len(other))


def category_test(before: Sequence[str], after: Sequence[str], *, seed: int = 0) -> TwoSampleTest:
    """Pearson's chi-square statistic of two samples of categories, with its permutation distribution.

    The table's margins are kept (Agresti 2013, section 16.5), so that rare categories need no rule of thumb.

    Args:
        before: Categories of the first sample.
        after: Categories of the second.
        seed: Of the draws.

    Raises:
        InvalidValueError: A sample is empty.
    """
    if not before or not after:
        raise InvalidValueError("a test needs cases in both samples")
    kinds, place = np.unique([*before, *after], return_inverse=True)
    totals = np.bincount(place, minlength=len(kinds))
    first = np.bincount(place[: len(before)], minlength=len(kinds))
    drawn = np.random.default_rng(seed).multivariate_hypergeometric(totals, len(before), size=10 * PERMUTATIONS)
    expected = totals * (len(before) / len(place))
    # For two samples the statistic is this sum times a factor that depends on their sizes alone.
    factor = len(place) / len(after)
    statistic = float(((first - expected) ** 2 / expected).sum() * factor)
    reached = int((((drawn - expected) ** 2 / expected).sum(axis=1) * factor >= statistic - 1e-9).sum())
    p = (reached + 1) / (len(drawn) + 1)
    return TwoSampleTest("chi-square, permuted", statistic, p, len(before), len(after))


def kernel_test(before: npt.ArrayLike, after: npt.ArrayLike, *, seed: int = 0) -> TwoSampleTest:
    """The kernel two-sample test: maximum mean discrepancy (Gretton et al., JMLR 2012) with a permutation distribution.

    A Gaussian kernel whose width is the median distance of the pooled cases; every coordinate is divided by its
    standard deviation over the pooled cases first.

    Args:
        before: [n, d].
        after: [m, d].
        seed: Of the draws.

    Raises:
        InvalidValueError: A sample is empty, or the two differ in width.
    """
    one, other = np.asarray(before, dtype=np.float64), np.asarray(after, dtype=np.float64)
    if one.ndim != 2 or other.ndim != 2 or one.shape[1:] != other.shape[1:] or not len(one) or not len(other):
        raise InvalidValueError(f"samples of {one.shape} and {other.shape} cannot be compared")
    rng = np.random.default_rng(seed)
    one, other = (each[rng.permutation(len(each))[:MOST_VECTORS]] for each in (one, other))
    pooled = np.concatenate([one, other])
    spread = pooled.std(axis=0)
    distances = squareform(pdist(pooled[:, spread > 0] / spread[spread > 0], "sqeuclidean"))
    kernel = np.exp(-distances / max(float(np.median(distances[distances > 0])), 1e-12)) if distances.any() else None
    if kernel is None:
        return TwoSampleTest("MMD, permuted", 0.0, 1.0, len(one), len(other))
    weights = np.concatenate([np.full(len(one), 1.0 / len(one)), np.full(len(other), -1.0 / len(other))])
    drawn = np.stack([weights, *(rng.permutation(weights) for _ in range(PERMUTATIONS))])
    values = ((drawn @ kernel) * drawn).sum(axis=1)
    p = (int((values[1:] >= values[0] - 1e-12).sum()) + 1) / (PERMUTATIONS + 1)
    return TwoSampleTest("MMD, permuted", float(np.sqrt(max(values[0], 0.0))), p, len(one), len(other))


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Adjusted p-values (Holm 1979): the chance of any false alarm among all tests is at most the level."""
    order = sorted(p_values, key=lambda name: p_values[name])
    adjusted, highest = {}, 0.0
    for place, name in enumerate(order):
        highest = max(highest, min(1.0, (len(order) - place) * p_values[name]))
        adjusted[name] = highest
    return {name: adjusted[name] for name in p_values}


def _numbers(values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.ndim != 1 or not len(numbers):
        raise InvalidValueError("a test needs cases in both samples")
    return numbers
