"""How well a model places one finding over many films, with intervals over patients."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medcam.evaluate.agreement_figure import Doubt, Figure, figure_of_sums, nothing
from medcam.evaluate.froc import Froc, froc
from medcam.evaluate.place_scores import PlaceScore

IOU_LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
IOBB_LEVELS = (0.1, 0.25, 0.5, 0.75, 0.9)
"""Levels at which Wang et al. 2017 count a finding as placed."""
SIZES = (0.01, 0.05)
"""Shares of the film that part small, medium and large findings."""


@dataclass(frozen=True, slots=True)
class Stratum:
    """Findings of one size.

    Args:
        smallest: Share of the film from which on.
        largest: Share of the film up to which.
        iou: Mean over films with the finding.
        hit_rate: Share of peaks in the truth.
    """

    smallest: float
    largest: float
    iou: Figure
    hit_rate: Figure


@dataclass(frozen=True, slots=True)
class PlaceFigures:
    """One finding over many films.

    Args:
        films: Films on which it was judged.
        positives: Films with it.
        patients: Patients of the films with it.
        lesions: True places.
        true_share: Mean share of the film that the truth covers: what a random point hits.
        iou: Mean IoU over films with it; 0 where nothing is shown.
        iou_both: Over films with both truth and region (CheXlocalize's true positives).
        iou_either: Over films with truth or region, so that a region on a film without the finding counts 0.
        dice: Mean over films with it.
        iobb: Mean over films with it.
        hit_rate: Share of peaks in the truth, over films with it.
        average_precision: Mean area under the precision-recall curve of the map's pixels, over films with it.
        error: Share of films with it whose IoU is below each of `IOU_LEVELS`.
        error_iobb: Likewise IoBB, each of `IOBB_LEVELS`.
        froc: Places found against false alarms; None without a true place.
        sizes: By size of the truth.
    """

    films: int
    positives: int
    patients: int
    lesions: int
    true_share: float | None
    iou: Figure
    iou_both: Figure
    iou_either: Figure
    dice: Figure
    iobb: Figure
    hit_rate: Figure
    average_precision: Figure
    error: Mapping[str, Figure]
    error_iobb: Mapping[str, Figure]
    froc: Froc | None
    sizes: Mapping[str, Stratum]


def place_figures(scores: Sequence[PlaceScore], *, sizes: tuple[float, float] = SIZES, seed: int = 0) -> PlaceFigures:
    """The figures of one finding.

    Args:
        scores: Every film on which it was judged.
        sizes: Shares of the film that part small, medium and large.
        seed: Of the bootstrap.
    """
    there = [score for score in scores if score.true]
    edges = (0.0, *sizes, 1.0)
    return PlaceFigures(
        films=len(scores),
        positives=len(there),
        patients=len({score.patient for score in there}),
        lesions=sum(score.lesions for score in there),
        true_share=float(np.mean([score.share for score in there])) if there else None,
        iou=mean_figure(there, lambda score: score.iou, seed),
        iou_both=mean_figure([score for score in there if score.found], lambda score: score.iou, seed),
        iou_either=mean_figure(scores, lambda score: score.iou, seed),
        dice=mean_figure(there, lambda score: score.dice, seed),
        iobb=mean_figure(there, lambda score: score.iobb, seed),
        hit_rate=mean_figure(there, lambda score: score.hit, seed),
        average_precision=mean_figure(there, lambda score: score.average_precision, seed),
        error={f"{level:g}": _below(there, lambda score: score.iou, level, seed) for level in IOU_LEVELS},
        error_iobb={f"{level:g}": _below(there, lambda score: score.iobb, level, seed) for level in IOBB_LEVELS},
        froc=froc(scores, seed=seed),
        sizes={
            name: _stratum(there, low, high, seed)
            for name, low, high in zip(("small", "medium", "large"), edges, edges[1:], strict=False)
        },
    )


def mean_figure(scores: Sequence[PlaceScore], value: Callable[[PlaceScore], float | None], seed: int = 0) -> Figure:
    """Mean over films that have a value, with its 95 % bootstrap interval over patients."""
    known = [(number, score.patient) for score in scores if (number := value(score)) is not None]
    if not known:
        return nothing()
    parts = np.array([[float(number), 1.0] for number, _ in known])
    return figure_of_sums(parts, [patient for _, patient in known], _ratio, undefined=Doubt.NO_CASES, seed=seed)


def _ratio(sums: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(sums[:, 0] / sums[:, 1])


def _below(
    scores: Sequence[PlaceScore], value: Callable[[PlaceScore], float | None], level: float, seed: int
) -> Figure:
    return mean_figure(scores, lambda score: None if (number := value(score)) is None else float(number < level), seed)


def _stratum(scores: Sequence[PlaceScore], low: float, high: float, seed: int) -> Stratum:
    own = [score for score in scores if low < score.share <= high]
    return Stratum(
        low,
        high,
        mean_figure(own, lambda score: score.iou, seed),
        mean_figure(own, lambda score: score.hit, seed),
    )
