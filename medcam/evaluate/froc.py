"""Free-response ROC: places found against false alarms per film (Bunch et al. 1977; rates as in LUNA16)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medcam.evaluate.agreement_figure import FEWEST_GROUPS, Doubt, Figure, percentile_figure
from medcam.evaluate.place_scores import PlaceScore

RATES = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
"""False alarms per film at which the share of places found is told."""
DRAWS = 1000
_CHUNK = 50


@dataclass(frozen=True, slots=True)
class Froc:
    """A free-response ROC curve.

    Args:
        sensitivity: Share of true places found at each of `RATES` false alarms per film.
        mean: Mean of these.
        films: Films counted, those without the finding included.
        negatives: Films without the finding among them.
        lesions: True places.
        curve: Points (false alarms per film, share found), by falling score.
    """

    sensitivity: tuple[float, ...]
    mean: Figure
    films: int
    negatives: int
    lesions: int
    curve: tuple[tuple[float, float], ...]


def froc(scores: Sequence[PlaceScore], *, seed: int = 0) -> Froc | None:
    """The free-response ROC curve of one finding.

    A candidate finds a true place when its point lies in it; further candidates in a place that was found already are
    neither right nor wrong. Films are drawn by patient for the interval of the mean.

    Args:
        scores: Films with and without the finding.
        seed: Of the bootstrap.

    Returns:
        The curve; None without a true place.
    """
    lesions = sum(score.lesions for score in scores)
    if not lesions:
        return None
    patients, place = np.unique([score.patient for score in scores], return_inverse=True)
    films = np.bincount(place, minlength=len(patients)).astype(np.float64)
    there = np.bincount(place, weights=[score.lesions for score in scores], minlength=len(patients)).astype(np.float64)
    owner, levels, right, wrong = _steps(scores, place)
    ones = np.ones((1, len(patients)))
    rates, found = _curves(ones, owner, right, wrong, films, there)
    at_rates = _at_rates(rates, found, levels)
    value = float(at_rates.mean())
    ends = np.flatnonzero(levels)
    return Froc(
        sensitivity=tuple(float(one) for one in at_rates[0]),
        mean=_interval(value, (owner, levels, right, wrong, films, there), len(scores), seed),
        films=len(scores),
        negatives=sum(not score.true for score in scores),
        lesions=lesions,
        curve=tuple(zip(rates[0, ends].tolist(), found[0, ends].tolist(), strict=True)),
    )


Steps = tuple[
    npt.NDArray[np.int64],
    npt.NDArray[np.bool_],
    npt.NDArray[np.float64],
    npt.NDArray[np.float64],
]


def _steps(scores: Sequence[PlaceScore], place: npt.NDArray[np.int64]) -> Steps:
    """Candidates by falling score: their patient, whether the next has a lower score, places gained, false alarms."""
    listed = sorted(
        ((candidate, film) for film, score in enumerate(scores) for candidate in score.candidates),
        key=lambda one: -one[0].score,
    )
    known: set[tuple[int, int]] = set()
    owner, right, wrong = [], [], []
    for candidate, film in listed:
        new = {(film, lesion) for lesion in candidate.lesions} - known
        known |= new
        owner.append(place[film])
        right.append(float(len(new)))
        wrong.append(float(not candidate.lesions))
    values = np.array([candidate.score for candidate, _ in listed])
    # A point of the curve stands for a threshold: between equal scores there is none.
    levels = np.append(values[1:] != values[:-1], True) if len(values) else np.zeros(0, dtype=np.bool_)
    return np.array(owner, dtype=np.int64), levels, np.array(right), np.array(wrong)


def _curves(
    weights: npt.NDArray[np.float64],
    owner: npt.NDArray[np.int64],
    right: npt.NDArray[np.float64],
    wrong: npt.NDArray[np.float64],
    films: npt.NDArray[np.float64],
    there: npt.NDArray[np.float64],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """False alarms per film and share found after each candidate: [draws, candidates] each; nan without a place."""
    drawn = weights[:, owner]
    rates = (drawn * wrong).cumsum(axis=1) / (weights @ films)[:, None]
    lesions = (weights @ there)[:, None]
    found = (drawn * right).cumsum(axis=1) / np.where(lesions > 0, lesions, np.nan)
    return rates, found


def _at_rates(
    rates: npt.NDArray[np.float64], found: npt.NDArray[np.float64], levels: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float64]:
    """The largest share found within each rate: [draws, rates]."""
    rates, found = rates[:, levels], found[:, levels]
    best = np.zeros((len(rates), len(RATES)))
    for number, rate in enumerate(RATES):
        within = np.where(rates <= rate, found, 0.0)
        best[:, number] = within.max(axis=1, initial=0.0)
    return best


def _interval(
    value: float,
    steps: tuple[
        npt.NDArray[np.int64],
        npt.NDArray[np.bool_],
        npt.NDArray[np.float64],
        npt.NDArray[np.float64],
        npt.NDArray[np.float64],
        npt.NDArray[np.float64],
    ],
    cases: int,
    seed: int,
) -> Figure:
    owner, levels, right, wrong, films, there = steps
    patients = len(films)
    if patients < FEWEST_GROUPS:
        return Figure(value, None, None, cases, patients, Doubt.FEW)
    rng = np.random.default_rng(seed)
    draws = []
    for _ in range(0, DRAWS, _CHUNK):
        weights = rng.multinomial(patients, np.full(patients, 1.0 / patients), size=_CHUNK).astype(np.float64)
        means = _at_rates(*_curves(weights, owner, right, wrong, films, there), levels).mean(axis=1)
        draws.append(np.where(weights @ there > 0, means, np.nan))
    return percentile_figure(value, np.concatenate(draws), cases, patients)
