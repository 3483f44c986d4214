"""Quantiles and slopes of measured times, with bootstrap intervals."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medcam.core.errors import InvalidValueError

Values = npt.NDArray[np.float64]
ROUNDS = 1000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its 95 % interval, and of how many measurements it comes."""

    value: float
    low: float
    high: float
    n: int


def quantile(groups: Sequence[Sequence[float]], share: float, *, seed: int = 0) -> Estimate:
    """A quantile of measurements that come in groups, such as those of one reader.

    The interval is from drawing whole groups with replacement, since measurements of one group are alike (percentile
    bootstrap, Efron and Tibshirani 1993).

    Args:
        groups: Measurements by group; groups without any are left out.
        share: From 0 to 1, such as 0.95.
        seed: Of the bootstrap.

    Raises:
        InvalidValueError: The share lies outside 0 to 1.
    """
    if not 0.0 <= share <= 1.0:
        raise InvalidValueError("a quantile lies between 0 and 1")
    return _bootstrapped(groups, lambda values: float(np.quantile(values, share)), seed)


def _bootstrapped(groups: Sequence[Sequence[float]], statistic: Callable[[Values], float], seed: int) -> Estimate:
    arrays = [np.asarray(group, dtype=np.float64) for group in groups if len(group)]
    if not arrays:
        return Estimate(math.nan, math.nan, math.nan, 0)
    every = np.concatenate(arrays)
    generator = np.random.default_rng(seed)
    drawn = [
        statistic(np.concatenate([arrays[place] for place in generator.integers(0, len(arrays), len(arrays))]))
        for _ in range(ROUNDS)
    ]
    low, high = np.quantile(drawn, (0.025, 0.975))
    return Estimate(statistic(every), float(low), float(high), every.size)


def slope(x: Sequence[float], y: Sequence[float], *, blocks: int = 10, seed: int = 0) -> Estimate:
    """The slope of a straight line through points in the order of time, by least squares.

    Neighbouring points are alike, so that the interval comes from drawing stretches of the errors of the line, each a
    `blocks`-th of the whole, and laying them on the line (moving blocks, Kuensch 1989).

    Args:
        x: Such as reruns done; not all the same.
        y: Such as memory in use, one for each of `x`.
        blocks: How many stretches there are.
        seed: Of the bootstrap.

    Raises:
        InvalidValueError: The two differ in length.
    """
    across, up = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if across.shape != up.shape:
        raise InvalidValueError("a line needs as many heights as places")
    if across.size < 3 or np.ptp(across) == 0.0:
        return Estimate(math.nan, math.nan, math.nan, across.size)
    value, start = _line(across, up)
    errors = up - (start + value * across)
    length = max(1, across.size // blocks)
    starts = np.arange(across.size - length + 1)
    generator = np.random.default_rng(seed)
    pieces = -(-across.size // length)
    drawn = []
    for _ in range(ROUNDS):
        taken = np.concatenate([errors[first : first + length] for first in generator.choice(starts, pieces)])
        drawn.append(_line(across, start + value * across + taken[: across.size])[0])
    low, high = np.quantile(drawn, (0.025, 0.975))
    return Estimate(value, float(low), float(high), across.size)


def _line(across: Values, up: Values) -> tuple[float, float]:
    """Slope, and height at 0."""
    middle = across - across.mean()
    value = float(middle @ up / (middle @ middle))
    return value, float(up.mean() - value * across.mean())
