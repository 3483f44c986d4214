"""A model with probes beside its own findings: one forward pass gives the maps and logits of all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from medcam.core.arrays import FloatArray
from medcam.core.errors import ModelError
from medcam.core.prediction import Prediction
from medcam.core.relation import Relation
from medcam.models.gradient import SplitNetwork
from medcam.models.loaded import LoadedModel
from medcam.models.probes.combined import combined_card
from medcam.models.probes.layers import layer_channels
from medcam.models.probes.probe import Probe
from medcam.models.probes.regrid import regrid


class ProbedModel(LoadedModel):
    """A loaded model with probes; the same network, gate and preparation.

    Args:
        model: The model.
        probes: Fitted to it.

    Raises:
        ModelError: As `combined_card`; the head's maps do not add up to logits, so that probes' cannot stand beside
            them (code "pooling-head"); or a probe does not fit its layer ("broken-probe").
    """

    def __init__(self, model: LoadedModel, probes: Sequence[Probe]) -> None:
        require_ledger(model)
        self.probes = tuple(probes)
        super().__init__(model.network, combined_card(model.card, [probe.card for probe in probes]), model.gate)
        _check_layers(model, self.probes)

    @property
    def layers_read(self) -> tuple[str, ...]:
        """As `LoadedModel.layers_read`, with those that probes read; the head's own follows from them."""
        own = {probe.card.layer for probe in self.probes} - {self.network.layer}
        return tuple(sorted(own | {self.network.backbone.layer}))

    def gradient_model(self) -> SplitNetwork:
        """Refused: a probe reads a layer of its own, and only its exact map goes with it.

        Raises:
            ModelError: Always (code "cam-method").
        """
        raise ModelError(
            f"{self.card.name} has probes, which have exact class activation maps alone",
            code="cam-method",
            next_step="Leave the method out, or name the model without its probes.",
        )

    @torch.inference_mode()
    def predict(self, inputs: FloatArray) -> Prediction:
        """As `LoadedModel.predict`, with the probes' logits and maps after the model's own.

        A probe's map lies on the model's grid: one of a coarser layer is repeated, one of a finer layer averaged, which
        leaves its mean as it is.
        """
        images = self.checked(inputs)
        output, layers = self.read(images)
        own = self.prediction(output)
        height, width = own.maps.shape[2:]
        maps = np.stack([_map(probe, layers[probe.card.layer], height, width) for probe in self.probes], axis=1)
        if own.relation is Relation.SUM:
            maps = maps / np.float32(height * width)
        totals = maps.sum(axis=(2, 3)) if own.relation is Relation.SUM else maps.mean(axis=(2, 3))
        biases = np.array([probe.bias for probe in self.probes], dtype=np.float32)
        return replace(
            own,
            logits=np.concatenate([own.logits, totals + biases], axis=1),
            maps=np.concatenate([own.maps, maps], axis=1),
            biases=np.concatenate([own.biases, biases]),
        )


def require_ledger(model: LoadedModel) -> None:
    """Refuses a model whose maps do not add up to its logits.

    Raises:
        ModelError: With code "pooling-head".
    """
    if not model.network.head.ledger:
        raise ModelError(
            f"{model.card.name} takes no probes: its logit is {model.network.head.relation.words}, a probe's is not",
            code="pooling-head",
            next_step="Use a model with a GAP or PCAM head.",
        )


def _map(probe: Probe, features: Tensor, height: int, width: int) -> FloatArray:
    """float32 [n, height, width]."""
    weights = torch.from_numpy(np.array(probe.weights))[None, :, None, None]
    maps: FloatArray = torch.nn.functional.conv2d(features.float(), weights)[:, 0].numpy()
    return regrid(maps, height, width)


def _check_layers(model: LoadedModel, probes: Sequence[Probe]) -> None:
    known = layer_channels(model)
    for probe in probes:
        if known.get(probe.card.layer) != probe.weights.size:
            raise ModelError(
                f"the weights of the probe {probe.name} do not fit the layer {probe.card.layer} of {model.card.name}",
                code="broken-probe",
                next_step=f"Fit the probe again; the model's layers: {', '.join(known)}.",
            )
