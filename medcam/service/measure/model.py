"""Measures a model on unseen phantoms: classification, calibration, localisation, the out-of-distribution gate."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from medcam.cam.exact import activation_maps
from medcam.cam.regions import peak, region_mask
from medcam.core.activation import ActivationMap
from medcam.core.card import PAPER_RULE, Interval, RegionRule
from medcam.core.display import DisplayWindow, VoiFunction
from medcam.core.errors import UsageError
from medcam.core.radiograph import Radiograph
from medcam.evaluate.classification import auc_interval, expected_calibration_error
from medcam.evaluate.localisation import mask_iou, mean_interval, peak_hits
from medcam.models.loaded import LoadedModel
from medcam.models.registry import load_model
from medcam.phantom import FINDINGS, FindingTruth, render, sample_case
from medcam.service.workers import one_blas_thread

CHUNK = 20


@dataclass(frozen=True, slots=True)
class PhantomStudy:
    """Which phantoms a model is measured on: `count` of `seed`, rendered at `size` pixels."""

    seed: int
    count: int
    size: int = 512


@dataclass(frozen=True, slots=True)
class PresentFinding:
    """One finding that is truly there: its difficulty, whether the map's peak hits it, IoU by both region rules."""

    name: str
    difficulty: str
    hit: bool
    iou: float
    iou_paper: float


@dataclass(frozen=True, slots=True)
class FilmMeasurement:
    """One phantom: logits in the model's order, what is truly there, the out-of-distribution score."""

    index: int
    logits: tuple[float, ...]
    present: tuple[PresentFinding, ...]
    strangeness: float | None


@dataclass(frozen=True, slots=True)
class FindingFigures:
    """Figures of one finding over a study; intervals are 95 % bootstrap intervals over patients.

    Args:
        n: Films on which it is truly there.
        auc: Films with a moderate or plain finding against films without.
        auc_subtle: Films with a subtle finding against films without.
        pointing: Share of peaks in the true mask, all difficulties.
        iou: Mean IoU of the calibrated rule's region with the true mask, all difficulties.
        iou_paper: The same by the paper's rule (20 % of the maximum, largest part).
        pointing_by_difficulty: Shares per difficulty.
        iou_by_difficulty: Means per difficulty.
    """

    n: int
    auc: Interval | None
    auc_subtle: Interval | None
    pointing: Interval | None
    iou: Interval | None
    iou_paper: Interval | None
    pointing_by_difficulty: Mapping[str, float]
    iou_by_difficulty: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class ModelFigures:
    """Figures of a model over a study.

    Args:
        study: The phantoms.
        model: The model's name.
        weights_sha256: Digest of its weights.
        findings: Per finding.
        mean_auc: Mean over findings, moderate and plain; None where no finding's AUC can be had.
        pointing: Over every finding truly present; None (likewise both IoU) where there is none.
        iou: Likewise, calibrated rule.
        iou_paper: Likewise, the paper's rule.
        calibration_error: Expected calibration error over all findings.
        false_alarms: Share of the phantoms that the out-of-distribution gate flags; None without a gate.
    """

    study: PhantomStudy
    model: str
    weights_sha256: str
    findings: Mapping[str, FindingFigures]
    mean_auc: float | None
    pointing: Interval | None
    iou: Interval | None
    iou_paper: Interval | None
    calibration_error: float
    false_alarms: float | None

    def as_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return asdict(self)


def measure_on_phantoms(
    model: str | Path, study: PhantomStudy, *, workers: int = 1, progress: Callable[[int, int], None] = lambda *_: None
) -> ModelFigures:
    """Measures a model of the phantom's findings on phantoms that it has not seen.

    Args:
        model: Name or folder.
        study: The phantoms; choose a seed that the model was not trained or calibrated on.
        workers: Processes.
        progress: Called with (phantoms done, phantoms in all).

    Raises:
        ModelError: There is no such model.
        UsageError: It knows none of the phantom's findings, or the study is empty.
    """
    loaded = load_model(model)
    if not set(loaded.card.finding_names) & set(FINDINGS) or study.count < 1:
        raise UsageError(f"{loaded.card.name} cannot be measured on these phantoms")
    films: list[FilmMeasurement] = []
    jobs = [(study, range(start, min(start + CHUNK, study.count))) for start in range(0, study.count, CHUNK)]
    with ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=_load, initargs=(str(model),)
    ) as pool:
        for chunk in pool.map(_measure_chunk, jobs):
            films += chunk
            progress(len(films), study.count)
    return summarise(films, loaded, study)


_MODEL: list[LoadedModel] = []
"""The worker process's own model: loaded once by the pool's initializer."""


def _load(model: str) -> None:
    torch.set_num_threads(1)
    one_blas_thread()
    _MODEL[:] = [load_model(model)]


def _measure_chunk(job: tuple[PhantomStudy, range]) -> list[FilmMeasurement]:
    study, indices = job
    return [measure_film(_MODEL[0], study, index) for index in indices]


def measure_film(model: LoadedModel, study: PhantomStudy, index: int) -> FilmMeasurement:
    """Renders one phantom, explains it, and compares with its truth."""
    phantom = render(sample_case(study.seed, index), study.size)
    top = 2**phantom.bits_stored - 1
    window = DisplayWindow(VoiFunction.LINEAR_EXACT, center=top / 2, width=top)
    film = model.prepare(Radiograph(np.rint(phantom.linear * top), window))
    prediction = model.predict(film.values[None])
    maps = dict(zip(model.card.finding_names, activation_maps(prediction, [film.transform])[0], strict=True))
    rules = {finding.name: finding.region_rule for finding in model.card.findings}
    scores = model.out_of_distribution(film.values[None], prediction)
    return FilmMeasurement(
        index=index,
        logits=tuple(float(logit) for logit in prediction.logits[0]),
        present=tuple(_compare(maps[t.name], t, rules[t.name]) for t in phantom.truths if t.name in maps),
        strangeness=None if scores is None else float(scores[0]),
    )


def _compare(activation: ActivationMap, truth: FindingTruth, rule: RegionRule) -> PresentFinding:
    height, width = truth.mask.shape
    return PresentFinding(
        name=truth.name,
        difficulty=truth.difficulty,
        hit=peak_hits(peak(activation), truth.mask, height, width),
        iou=mask_iou(region_mask(activation, rule, height, width), truth.mask),
        iou_paper=mask_iou(region_mask(activation, PAPER_RULE, height, width), truth.mask),
    )


def summarise(films: Sequence[FilmMeasurement], model: LoadedModel, study: PhantomStudy) -> ModelFigures:
    """Figures of measured films, on the findings that both the model and the phantoms know."""
    places = {name: place for place, name in enumerate(model.card.finding_names) if name in FINDINGS}
    logits = np.array([film.logits for film in films])
    every = [(film.index, present) for film in films for present in film.present]
    figures = {name: _finding_figures(films, logits[:, place], name) for name, place in places.items()}
    labels = np.array([[any(p.name == name for p in film.present) for name in places] for film in films])
    probabilities = 1.0 / (1.0 + np.exp(-np.clip(logits[:, list(places.values())], -80.0, 80.0)))
    limit = model.card.out_of_distribution_threshold
    strange = [film.strangeness > limit for film in films if film.strangeness is not None and limit is not None]
    aucs = [figure.auc.value for figure in figures.values() if figure.auc]

    def over_all(figure: str) -> Interval | None:
        patients = [index for index, _ in every]
        return mean_interval([getattr(present, figure) for _, present in every], patients) if every else None

    return ModelFigures(
        study=study,
        model=model.card.name,
        weights_sha256=model.card.weights_sha256,
        findings=figures,
        mean_auc=float(np.mean(aucs)) if aucs else None,
        pointing=over_all("hit"),
        iou=over_all("iou"),
        iou_paper=over_all("iou_paper"),
        calibration_error=expected_calibration_error(labels, probabilities),
        false_alarms=float(np.mean(strange)) if strange else None,
    )


def _finding_figures(films: Sequence[FilmMeasurement], logits: npt.NDArray[np.float64], name: str) -> FindingFigures:
    present = {film.index: p for film in films for p in film.present if p.name == name}
    difficulty = np.array([present[f.index].difficulty if f.index in present else "absent" for f in films])
    there = list(present.values())

    def auc_of(*grades: str) -> Interval | None:
        used = np.isin(difficulty, [*grades, "absent"])
        labels = difficulty[used] != "absent"
        return auc_interval(labels, logits[used]) if len(np.unique(labels)) == 2 else None

    def by_difficulty(figure: str) -> dict[str, float]:
        grades = {grade: [getattr(p, figure) for p in there if p.difficulty == grade] for grade in GRADES}
        return {grade: float(np.mean(values)) for grade, values in grades.items() if values}

    return FindingFigures(
        n=len(there),
        auc=auc_of("moderate", "plain"),
        auc_subtle=auc_of("subtle"),
        pointing=mean_interval([p.hit for p in there]) if there else None,
        iou=mean_interval([p.iou for p in there]) if there else None,
        iou_paper=mean_interval([p.iou_paper for p in there]) if there else None,
        pointing_by_difficulty=by_difficulty("hit"),
        iou_by_difficulty=by_difficulty("iou"),
    )


GRADES = ("subtle", "moderate", "plain")
