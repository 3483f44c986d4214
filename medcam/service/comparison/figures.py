"""What maps and logits are worth: classification, pointing, boxes, overlap, extent; pooled over training runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
import numpy.typing as npt

from medcam.cam.calibrate import calibrate_rule
from medcam.cam.regions import peak, region_mask
from medcam.core.activation import ActivationMap
from medcam.core.card import PAPER_RULE, Interval, RegionRule
from medcam.core.errors import InvalidValueError
from medcam.core.geometry import Box, GridTransform
from medcam.core.relation import Relation
from medcam.evaluate.classification import auc, resampled
from medcam.evaluate.localisation import mask_iou, mean_interval, peak_hits
from medcam.models.training.films import Films

Floats = npt.NDArray[np.float32]

BOX_IOU = 0.5
"""A box counts as right from this IoU on (ILSVRC's criterion)."""
BOOTSTRAPS = 300


@dataclass(frozen=True, eq=False)
class Outputs:
    """What a trained network says of films.

    Args:
        maps: float32 [n, findings, h, w].
        logits: float32 [n, findings].
    """

    maps: Floats
    logits: Floats


@dataclass(frozen=True, slots=True)
class Located:
    """One finding that is truly there, and what the map made of it.

    Args:
        finding: Place of the finding.
        patient: Patient of the film.
        pointed: Whether the map's peak lies in the true mask.
        box_iou: IoU of the box by the paper's rule with the box around the true mask.
        box_iou_tuned: The same by the tuned threshold.
        iou: IoU of the region by the paper's rule with the true mask.
        iou_tuned: The same by the tuned rule.
        covered: Share of the true mask inside the region by the paper's rule.
    """

    finding: int
    patient: int
    pointed: bool
    box_iou: float
    box_iou_tuned: float
    iou: float
    iou_tuned: float
    covered: float


@dataclass(frozen=True, eq=False)
class Measured:
    """What the runs of an arm gave on the test films.

    Args:
        cases: Of each run; the same findings of the same films in every run.
        logits: float32 [n, findings] of each run.
    """

    cases: tuple[list[Located], ...]
    logits: tuple[Floats, ...]


@dataclass(frozen=True, slots=True)
class ArmFigures:
    """Figures of one arm of a comparison, over all its training runs; 95 % bootstrap intervals over patients.

    Args:
        runs: Training runs.
        cases: Findings truly present on the films, once per run.
        auc: Mean over findings.
        auc_by_run: Mean over findings of each run: how much the seed matters.
        error: Share of boxes by the paper's rule with an IoU below 0.5: localisation error, the finding being given.
        error_tuned: The same by the tuned threshold.
        iou: Mean IoU of regions by the paper's rule.
        iou_tuned: The same by the tuned rule.
        pointing: Share of peaks in the true mask.
        covered: Mean share of the true mask inside the paper's region.
        iou_by_finding: Mean IoU by the tuned rule of each finding; nan where it is on no film.
    """

    runs: int
    cases: int
    auc: Interval
    auc_by_run: tuple[float, ...]
    error: Interval
    error_tuned: Interval
    iou: Interval
    iou_tuned: Interval
    pointing: Interval
    covered: Interval
    iou_by_finding: tuple[float, ...]

    def as_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return asdict(self)


def tuned_rules(outputs: Outputs, films: Films) -> tuple[RegionRule, ...]:
    """The region rule of each finding with the best mean IoU on films set aside; the paper's where none has it."""
    if films.masks is None:
        raise InvalidValueError("rules are tuned on films with masks")
    return tuple(
        calibrate_rule(outputs.maps[:, place], films.masks[:, place])
        if films.masks[:, place].any()
        else replace(PAPER_RULE, name="calibrated")
        for place in range(len(films.names))
    )


def locate(outputs: Outputs, films: Films, rules: Sequence[RegionRule]) -> list[Located]:
    """Compares every finding that is truly present with what its map shows.

    Args:
        outputs: Of the films.
        films: With masks.
        rules: The tuned rule of each finding.

    Raises:
        InvalidValueError: The films have no masks.
    """
    if films.masks is None:
        raise InvalidValueError("films without masks cannot be measured on")
    places = np.argwhere((films.labels == 1) & films.masks.any(axis=(2, 3)))
    return [
        _located(outputs.maps[film, finding], films.masks[film, finding], rules[finding], finding, films.patients[film])
        for film, finding in places
    ]


def _located(
    values: Floats, mask: npt.NDArray[np.bool_], rule: RegionRule, finding: np.int64, patient: np.int64
) -> Located:
    height, width = mask.shape
    transform = GridTransform.identity(height, width).resize(*values.shape)
    shown = ActivationMap(values, 0.0, transform, relation=Relation.UNSTATED)
    paper, tuned = region_mask(shown, PAPER_RULE, height, width), region_mask(shown, rule, height, width)
    largest = region_mask(shown, replace(rule, largest_only=True, smallest_share=0.0), height, width)
    return Located(
        finding=int(finding),
        patient=int(patient),
        pointed=peak_hits(peak(shown, resolution=max(height, width)), mask, height, width),
        box_iou=_box_iou(paper, mask),
        box_iou_tuned=_box_iou(largest, mask),
        iou=mask_iou(paper, mask),
        iou_tuned=mask_iou(tuned, mask),
        covered=float((paper & mask).sum() / mask.sum()),
    )


def _box_iou(found: npt.NDArray[np.bool_], true: npt.NDArray[np.bool_]) -> float:
    return Box.around(found).iou(Box.around(true)) if found.any() else 0.0


def arm_figures(measured: Measured, films: Films) -> ArmFigures:
    """Figures of an arm from what its runs gave on the same films.

    Args:
        measured: What they gave.
        films: The films.

    Raises:
        InvalidValueError: No finding is on any film.
    """
    cases, logits = [case for run in measured.cases for case in run], measured.logits
    patients = np.array([case.patient for case in cases], dtype=np.int64)

    def interval(values: Sequence[float]) -> Interval:
        return mean_interval(np.asarray(values, dtype=np.float64), patients)

    by_finding = [[case.iou_tuned for case in cases if case.finding == place] for place in range(len(films.names))]
    return ArmFigures(
        runs=len(measured.cases),
        cases=len(cases),
        auc=mean_auc(films, logits),
        auc_by_run=tuple(mean_auc_of(films.labels, run) for run in logits),
        error=interval([case.box_iou < BOX_IOU for case in cases]),
        error_tuned=interval([case.box_iou_tuned < BOX_IOU for case in cases]),
        iou=interval([case.iou for case in cases]),
        iou_tuned=interval([case.iou_tuned for case in cases]),
        pointing=interval([case.pointed for case in cases]),
        covered=interval([case.covered for case in cases]),
        iou_by_finding=tuple(float(np.mean(values)) if values else float("nan") for values in by_finding),
    )


def mean_auc(films: Films, logits: Sequence[Floats]) -> Interval:
    """AUC, mean over findings and runs, with its 95 % bootstrap interval over patients."""
    value = float(np.mean([mean_auc_of(films.labels, run) for run in logits]))
    drawn = [
        float(np.mean([mean_auc_of(films.labels[index], run[index]) for run in logits]))
        for index in resampled(films.patients, BOOTSTRAPS, 0)
    ]
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    return Interval(value, min(float(low), value), max(float(high), value))


def mean_auc_of(labels: npt.NDArray[np.int8], logits: Floats) -> float:
    """Mean AUC over findings of which both kinds of films are there; nan where there is none."""
    values = [auc(labels[:, place], logits[:, place]) for place in range(labels.shape[1])]
    known = [value for value in values if np.isfinite(value)]
    return float(np.mean(known)) if known else float("nan")
