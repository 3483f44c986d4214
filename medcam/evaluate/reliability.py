"""Whether probabilities mean what they say: calibration error with what chance alone would give, and reliability."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medcam.core.errors import InvalidValueError
from medcam.evaluate.agreement_figure import Doubt, Figure, nothing
from medcam.evaluate.classification import expected_calibration_error, resampled
from medcam.evaluate.proportions import proportion

DRAWS = 500
BINS = 10
FEWEST_FILMS = 50
"""With fewer films neither calibration error nor reliability says anything."""


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Films whose probabilities are alike.

    Args:
        mean: Mean probability.
        observed: Share of the films that have the finding, with its interval.
    """

    mean: float
    observed: Figure


@dataclass(frozen=True, slots=True)
class Calibration:
    """How far probabilities are from shares.

    Args:
        error: Expected calibration error (Naeini et al. 2015, 15 bins of equal width), with a bootstrap interval over
            patients. It is above 0 even for perfect probabilities, the more the fewer films there are.
        by_chance: Upper 95 % limit of that error if the probabilities were exactly right: consistency resampling
            (Bröcker and Smith 2007), labels drawn from the probabilities. None where there are too few films.
        mean_probability: What the model says on average.
        prevalence: Share of the films that have the finding.
        bins: Reliability, in bins of equally many films.
    """

    error: Figure
    by_chance: float | None
    mean_probability: float | None
    prevalence: Figure
    bins: tuple[ReliabilityBin, ...]

    @property
    def consistent(self) -> bool | None:
        """Whether the error is no larger than chance explains; None where there are too few films."""
        if self.error.value is None or self.by_chance is None:
            return None
        return self.error.value <= self.by_chance


def calibration(
    labels: npt.ArrayLike, probabilities: npt.ArrayLike, patients: npt.ArrayLike, *, seed: int = 0
) -> Calibration:
    """Calibration of one finding.

    Args:
        labels: [n], 1 with the finding, 0 without.
        probabilities: [n], 0 to 1.
        patients: [n], the patient of each film.
        seed: Of the draws.

    Raises:
        InvalidValueError: The three differ in length.
    """
    truth = np.asarray(labels, dtype=np.float64)
    values, groups = np.asarray(probabilities, dtype=np.float64), np.asarray(patients)
    if not truth.ndim == values.ndim == groups.ndim == 1 or not len(truth) == len(values) == len(groups):
        raise InvalidValueError("labels, probabilities and patients must be equally many")
    if not len(truth):
        return Calibration(nothing(), None, None, nothing(), ())
    _, place = np.unique(groups, return_inverse=True)
    prevalence = proportion(truth == 1, groups)
    error, count = expected_calibration_error(truth, values), int(place.max()) + 1
    if len(truth) < FEWEST_FILMS:
        few = Figure(error, None, None, len(truth), count, Doubt.FEW)
        return Calibration(few, None, float(values.mean()), prevalence, ())
    draws = [expected_calibration_error(truth[drawn], values[drawn]) for drawn in resampled(place, DRAWS, seed)]
    low, high = (float(end) for end in np.percentile(draws, [2.5, 97.5]))
    figure = Figure(error, min(low, error), max(high, error), len(truth), count)
    chance = _by_chance(values, seed)
    return Calibration(figure, chance, float(values.mean()), prevalence, _bins(truth, values, groups))


def _by_chance(values: npt.NDArray[np.float64], seed: int) -> float:
    rng = np.random.default_rng(seed)
    drawn = [expected_calibration_error(rng.random(len(values)) < values, values) for _ in range(DRAWS)]
    return float(np.percentile(drawn, 95.0))


def _bins(
    truth: npt.NDArray[np.float64], values: npt.NDArray[np.float64], groups: npt.NDArray[np.generic]
) -> tuple[ReliabilityBin, ...]:
    order = np.argsort(values, kind="stable")
    return tuple(
        ReliabilityBin(float(values[part].mean()), proportion(truth[part] == 1, groups[part]))
        for part in np.array_split(order, BINS)
        if len(part)
    )
