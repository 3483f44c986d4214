"""The layers of a model that a probe can read, from one forward pass without hooks."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import torch
from torch import Tensor

from medcam.core.arrays import FloatArray
from medcam.core.errors import ModelError
from medcam.models.classifier import ClassifierOutput, GapClassifier
from medcam.models.loaded import LoadedModel

BATCH = 16


@torch.inference_mode()
def layer_channels(model: LoadedModel) -> dict[str, int]:
    """Channels of the layers that a probe can read, by name, the earliest first; the head reads the last one.

    A model with finding units has one more layer than its backbone, which has one channel per finding.
    """
    recipe = model.card.input
    layers = model.network.backbone.layers(torch.zeros(1, recipe.channels, recipe.height, recipe.width))
    channels = {name: int(output.shape[1]) for name, output in layers.items()}
    return channels | {model.network.layer: int(model.network.head.weight.shape[1])}


def default_layer(network: GapClassifier) -> str:
    """The backbone's last layer: of a plain classifier, the one that the head reads."""
    return network.backbone.layer


def forward_layers(
    network: GapClassifier, images: Tensor, wanted: Collection[str]
) -> tuple[ClassifierOutput, dict[str, Tensor]]:
    """One forward pass that keeps the outputs of some layers.

    Args:
        network: In evaluation mode.
        images: [n, channels, height, width].
        wanted: Names among `layer_channels`.

    Returns:
        What the network's own `forward` gives, and the wanted outputs [n, k, h, w] by name.

    Raises:
        ModelError: The network has no such layer (code "probe-layer").
    """
    last, own = network.backbone.layer, network.layer
    found = {last: network.backbone(images)} if set(wanted) <= {last, own} else network.backbone.layers(images)
    output = network.read(found[last])
    found[own] = output.features
    unknown = sorted(set(wanted) - set(found))
    if unknown:
        raise ModelError(
            f"the model has no layer {unknown[0]!r} that a probe could read",
            code="probe-layer",
            next_step=f"Its layers: {', '.join(found)}.",
        )
    return output, {name: found[name] for name in wanted}


@torch.inference_mode()
def pooled_layers(network: GapClassifier, inputs: FloatArray, wanted: Collection[str]) -> dict[str, FloatArray]:
    """Globally average pooled outputs of layers: float32 [n, k] by name; arguments and errors as `forward_layers`.

    Args:
        network: In evaluation mode.
        inputs: float32 [n, channels, height, width] in model-input space.
        wanted: Names among `layer_channels`.
    """
    parts: dict[str, list[FloatArray]] = {name: [] for name in wanted}
    for start in range(0, len(inputs), BATCH):
        batch = torch.from_numpy(np.require(inputs[start : start + BATCH], np.float32, ["C", "W"]))
        _, found = forward_layers(network, batch, wanted)
        for name in wanted:
            parts[name].append(found[name].float().mean(dim=(2, 3)).numpy())
    return {name: np.concatenate(rows) for name, rows in parts.items()}
