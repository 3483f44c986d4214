"""The units of a network: channels of its last feature maps, each with a weight for every finding."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch

from medcam.core.arrays import FloatArray
from medcam.core.errors import ModelError
from medcam.core.relation import Relation
from medcam.models.loaded import LoadedModel


@dataclass(frozen=True, eq=False)
class UnitWeights:
    """How findings weight units.

    Args:
        layer: The layer whose channels the units are.
        weights: float32 [findings, units].
        biases: float32 [findings].
        score: What sum over units of weight x mean activation + bias is: "logit", or "unit", the finding's own unit
            before its softplus, where a network has one unit per finding between the layer and the head.
    """

    layer: str
    weights: FloatArray = field(repr=False)
    biases: FloatArray = field(repr=False)
    score: str


def unit_weights(model: LoadedModel) -> UnitWeights:
    """The units that the findings of a model are made of.

    A network with one unit per finding (`finding_units`) says nothing by these that their names do not say; its units
    are then the channels below, which each finding's unit weights. Findings of probes have none: they read layers of
    their own.

    Raises:
        ModelError: The logit is no mean of the map (code "no-ledger"): a unit's part in it is then not its weight times
            its mean activation.
    """
    network = model.network
    if network.head.relation is not Relation.MEAN:
        raise ModelError(
            f"units of {model.card.name} add nothing that can be told: the logit is {network.head.relation.words}",
            code="no-ledger",
            next_step="Use a model with a GAP head.",
        )
    if network.units is None:
        weights, biases = network.head.class_weights, network.head.bias
        return UnitWeights(network.layer, _plain(weights), _plain(biases), "logit")
    assert network.units.bias is not None
    weights = network.units.weight[:, :, 0, 0]
    return UnitWeights(network.backbone.layer, _plain(weights), _plain(network.units.bias), "unit")


@torch.inference_mode()
def unit_maps(model: LoadedModel, inputs: FloatArray) -> FloatArray:
    """Activations float32 [n, units, h, w] of inputs [n, channels, height, width] in model-input space."""
    output = model.network(model.checked(inputs))
    maps = output.features if output.backbone is None else output.backbone
    return np.asarray(maps.float().numpy(), dtype=np.float32)


def _plain(values: torch.Tensor) -> FloatArray:
    return np.array(values.detach().float().numpy(), dtype=np.float32)
