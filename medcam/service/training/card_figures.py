"""The figures on a model card: measured on films that set nothing, each with its 95 % interval."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import numpy.typing as npt

from medcam.cam.calibrate import region_ious
from medcam.core.card import PAPER_RULE, FindingCard, Interval
from medcam.evaluate.classification import BOOTSTRAPS, auc, auc_interval, expected_calibration_error, resampled
from medcam.evaluate.localisation import mean_interval, share_interval
from medcam.models.training.films import Films
from medcam.models.training.validation import pointing_game

Floats = npt.NDArray[np.float32]
Figures = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FilmOutputs:
    """What a finished network says of films: maps [n, findings, h, w], logits [n, findings], gate input [n, k]."""

    maps: Floats = field(repr=False)
    logits: Floats = field(repr=False)
    features: Floats = field(repr=False)

    @property
    def probabilities(self) -> Figures:
        """[n, findings]."""
        return np.asarray(1.0 / (1.0 + np.exp(-np.clip(self.logits.astype(np.float64), -80.0, 80.0))))


def finding_figures(finding: FindingCard, number: int, outputs: FilmOutputs, films: Films) -> dict[str, Interval]:
    """AUC, sensitivity and specificity of one finding at its threshold; pointing and IoU where the truth is outlined.

    Args:
        finding: Its card, with threshold and region rule.
        number: Its column.
        outputs: Of the films.
        films: The films.
    """
    labels, figures = films.labels[:, number], dict[str, Interval]()
    known, outlined = labels >= 0, _outlined(films, number)
    if len(np.unique(labels[known])) == 2:
        figures["auc"] = auc_interval(labels[known], outputs.logits[known, number], films.patients[known])
        called = outputs.probabilities[:, number] >= finding.threshold
        for name, right in (("sensitivity", labels == 1), ("specificity", labels == 0)):
            figures[name] = _share(called[right] == (name == "sensitivity"), films.patients[right])
    if films.masks is not None and outlined.any():
        maps, masks = outputs.maps[outlined, number], films.masks[outlined, number]
        figures["pointing"] = share_interval(pointing_game(maps, masks))
        for name, rule in (("iou", finding.region_rule), ("iou-paper", PAPER_RULE)):
            figures[name] = mean_interval(region_ious(maps, masks, rule), films.patients[outlined])
    return figures


def overall_figures(findings: tuple[FindingCard, ...], outputs: FilmOutputs, films: Films) -> dict[str, Interval]:
    """Calibration error, and the means over findings of what `finding_figures` gives."""
    samples = [np.arange(len(films)), *resampled(films.patients, BOOTSTRAPS, 0)]
    probabilities = outputs.probabilities

    def calibration(index: npt.NDArray[np.int64]) -> float:
        known = films.labels[index] >= 0
        return expected_calibration_error(films.labels[index][known], probabilities[index][known])

    figures = {"ece": _bootstrapped(calibration, samples)}
    with_auc = [number for number, finding in enumerate(findings) if "auc" in finding.performance]
    with_place = [number for number, finding in enumerate(findings) if "pointing" in finding.performance]
    if with_auc:
        figures["mean-auc"] = _bootstrapped(partial(_mean_auc, with_auc, outputs, films), samples)
    if with_place:
        hits, ious = _places(with_place, findings, outputs, films)
        for name, values in (("mean-pointing", hits), ("mean-iou", ious)):
            figures[name] = _bootstrapped(partial(_mean_of_means, values), samples)
    return figures


def _share(right: npt.NDArray[np.bool_], patients: npt.NDArray[np.int64]) -> Interval:
    """Share of films with its interval over patients: Wilson's for all or none, of which resampling says nothing."""
    if right.all() or not right.any():
        return share_interval(np.full(len(np.unique(patients)), right.any()))
    return mean_interval(right, patients)


def _outlined(films: Films, number: int) -> npt.NDArray[np.bool_]:
    """Films on which a finding is present and outlined."""
    if films.masks is None:
        return np.zeros(len(films), dtype=np.bool_)
    return np.asarray((films.labels[:, number] == 1) & films.masks[:, number].any(axis=(1, 2)))


def _places(
    numbers: list[int], findings: tuple[FindingCard, ...], outputs: FilmOutputs, films: Films
) -> tuple[Figures, Figures]:
    """Hits and IoU [films, findings], nan where a finding is not there."""
    hits, ious = np.full((2, len(films), len(numbers)), np.nan)
    assert films.masks is not None
    for column, number in enumerate(numbers):
        outlined = _outlined(films, number)
        maps, masks = outputs.maps[outlined, number], films.masks[outlined, number]
        hits[outlined, column] = pointing_game(maps, masks)
        ious[outlined, column] = region_ious(maps, masks, findings[number].region_rule)
    return hits, ious


def _mean_auc(numbers: list[int], outputs: FilmOutputs, films: Films, index: npt.NDArray[np.int64]) -> float:
    values = []
    for number in numbers:
        labels = films.labels[index, number]
        values.append(auc(labels[labels >= 0], outputs.logits[index, number][labels >= 0]))
    return float(np.mean(values))


def _mean_of_means(values: Figures, index: npt.NDArray[np.int64]) -> float:
    """Mean over findings of the mean over the films of an index; nan where a finding is on none of them."""
    drawn = values[index]
    there = ~np.isnan(drawn)
    sums, counts = np.where(there, drawn, 0.0).sum(axis=0), there.sum(axis=0)
    return float(np.mean(np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)))


def _bootstrapped(figure: Callable[[npt.NDArray[np.int64]], float], samples: list[npt.NDArray[np.int64]]) -> Interval:
    """A figure of all films (the first sample) with the interval that the other samples give."""
    value = figure(samples[0])
    drawn = np.array([figure(index) for index in samples[1:]])
    drawn = drawn[~np.isnan(drawn)]
    low, high = np.percentile(drawn, [2.5, 97.5]) if drawn.size else (value, value)
    return Interval(value, min(float(low), value), max(float(high), value))
