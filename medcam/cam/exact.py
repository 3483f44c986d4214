"""Exact class activation maps: from a prediction to the maps of single findings, with no hook and no backward pass."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from medcam.core.activation import ActivationMap
from medcam.core.errors import InvalidValueError, ModelError
from medcam.core.geometry import GridTransform
from medcam.core.prediction import Prediction


def activation_maps(
    prediction: Prediction, transforms: Sequence[GridTransform], *, method: str = "cam", layer: str = ""
) -> list[tuple[ActivationMap, ...]]:
    """The maps of every finding of every image of a batch (Zhou et al. 2015, section 2).

    Args:
        prediction: One forward pass over n images; its maps are raw, signed and in logit units.
        transforms: For each image, from its source pixels to the model's input. A map's cells are taken to divide
            the input's extent evenly.
        method: Name recorded with each map.
        layer: Name of the layer whose output the maps weight.

    Returns:
        For each image one map per finding, in the model's order, each with its transform to the map's own grid.

    Raises:
        InvalidValueError: There is not one transform per image.
    """
    if len(transforms) != len(prediction):
        raise InvalidValueError(f"{len(prediction)} images need as many transforms, not {len(transforms)}")
    height, width = prediction.maps.shape[2:]
    biases = [float(bias) for bias in prediction.biases]
    result = []
    for maps, transform in zip(prediction.maps, transforms, strict=True):
        grid = transform.resize(height, width)
        result.append(
            tuple(
                ActivationMap(values, bias, grid, method, layer, relation=prediction.relation)
                for values, bias in zip(maps, biases, strict=True)
            )
        )
    return result


def check_ledger(activation: ActivationMap, logit: float, tolerance: float = 1e-4) -> float:
    """Checks that a map adds up to its logit: mean over cells + bias, or their sum + bias (see `Relation`).

    Args:
        activation: A map of a head with a ledger.
        logit: The finding's logit, from wherever.
        tolerance: Largest accepted difference in logit units.

    Returns:
        The difference, in logit units, at least 0.

    Raises:
        InvalidValueError: The map has no ledger.
        ModelError: The difference is larger than the tolerance or not a number; code "ledger-mismatch".
    """
    if not activation.ledger:
        assert activation.relation is not None
        raise InvalidValueError(
            f"maps by {activation.method!r} have no ledger to check: the logit is {activation.relation.words}"
        )
    total = float(activation.values.sum(dtype=np.float64)) * activation.cell_weight
    difference = abs(total + activation.bias - logit)
    if not (math.isfinite(difference) and difference <= tolerance):
        raise ModelError(
            f"the map adds up to a logit {difference:.3g} away from the network's",
            code="ledger-mismatch",
            next_step="Do not use this result: the maps and the scores differ in weights, head or precision.",
        )
    return difference
