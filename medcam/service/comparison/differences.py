"""Two arms on the same films with the same seeds: paired differences, which tell apart what two intervals cannot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np

from medcam.core.card import Interval
from medcam.core.errors import InvalidValueError
from medcam.evaluate.classification import resampled
from medcam.evaluate.localisation import mean_interval
from medcam.models.training.films import Films
from medcam.service.comparison.figures import BOOTSTRAPS, BOX_IOU, Located, Measured, mean_auc_of


@dataclass(frozen=True, slots=True)
class ArmDifferences:
    """The first arm less the second, with 95 % bootstrap intervals over patients; fields as those of `ArmFigures`."""

    auc: Interval
    error: Interval
    error_tuned: Interval
    iou: Interval
    iou_tuned: Interval
    pointing: Interval
    covered: Interval

    def as_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return asdict(self)


def differences(first: Measured, second: Measured, films: Films) -> ArmDifferences:
    """Compares two arms, run by run and case by case.

    Args:
        first: Of one arm.
        second: Of another, on the same films with as many runs.
        films: The films.

    Raises:
        InvalidValueError: Their cases are not the same.
    """
    pairs = [
        pair
        for ours, theirs in zip(first.cases, second.cases, strict=True)
        for pair in zip(ours, theirs, strict=True)
    ]  # fmt: skip
    if any((one.finding, one.patient) != (other.finding, other.patient) for one, other in pairs):
        raise InvalidValueError("two arms are compared on the same films")
    patients = np.array([one.patient for one, _ in pairs], dtype=np.int64)

    def of(value: Callable[[Located], float]) -> Interval:
        return mean_interval([float(value(one)) - float(value(other)) for one, other in pairs], patients)

    return ArmDifferences(
        auc=_auc(first, second, films),
        error=of(lambda case: case.box_iou < BOX_IOU),
        error_tuned=of(lambda case: case.box_iou_tuned < BOX_IOU),
        iou=of(lambda case: case.iou),
        iou_tuned=of(lambda case: case.iou_tuned),
        pointing=of(lambda case: case.pointed),
        covered=of(lambda case: case.covered),
    )


def _auc(first: Measured, second: Measured, films: Films) -> Interval:
    def of(index: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> float:
        ours, theirs = (
            float(np.mean([mean_auc_of(films.labels[index], run[index]) for run in arm.logits]))
            for arm in (first, second)
        )
        return ours - theirs

    value = of(np.arange(len(films)))
    drawn = [of(index) for index in resampled(films.patients, BOOTSTRAPS, 0)]
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    return Interval(value, min(float(low), value), max(float(high), value))
