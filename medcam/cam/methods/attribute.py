"""The one call of every attribution method, guarded: network, gradients and random numbers stay as they were."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from medcam.cam.methods.method import CamMethod, Units
from medcam.cam.methods.model import GradientModel
from medcam.cam.methods.registry import build_method
from medcam.core.activation import ActivationMap
from medcam.core.arrays import FloatArray, frozen_array
from medcam.core.errors import InvalidValueError, ModelError
from medcam.core.geometry import GridTransform
from medcam.core.relation import Relation

INPUT = "input"
"""Named as the layer of a method that looks at the input itself."""

CHUNK = 16


@dataclass(frozen=True, eq=False)
class Attribution:
    """Raw maps by one method.

    Args:
        values: float32 [n, findings, h, w], neither scaled nor shifted.
        method: Name of the method.
        layer: Name of the layer whose output was looked at; "input" for the input itself.
        units: Of the values.
        findings: Indices of the findings, in the order of the maps.
    """

    values: FloatArray = field(repr=False)
    method: str
    layer: str
    units: Units
    findings: tuple[int, ...]

    def __post_init__(self) -> None:
        values = frozen_array(self.values, np.float32, 4, "maps")
        if values.shape[1] != len(self.findings):
            raise InvalidValueError(f"maps of shape {values.shape} do not belong to {len(self.findings)} findings")
        object.__setattr__(self, "values", values)

    def activation_maps(
        self, transforms: Sequence[GridTransform], biases: Sequence[float]
    ) -> list[tuple[ActivationMap, ...]]:
        """The maps of single findings, without a ledger: only exact class activation maps have one.

        Args:
            transforms: For each image, from its source pixels to the model's input.
            biases: Of the findings of the maps, in logit units.

        Raises:
            InvalidValueError: There is not one transform per image and one bias per finding.
        """
        if len(transforms) != len(self.values) or len(biases) != len(self.findings):
            raise InvalidValueError(f"maps of shape {self.values.shape} need a transform per image, a bias per finding")
        height, width = self.values.shape[2:]
        grids = [transform.resize(height, width) for transform in transforms]
        return [
            tuple(
                ActivationMap(values, bias, grid, self.method, self.layer, relation=Relation.UNSTATED)
                for values, bias in zip(maps, biases, strict=True)
            )
            for maps, grid in zip(self.values, grids, strict=True)
        ]


def attribute(
    model: GradientModel,
    inputs: FloatArray,
    method: str | CamMethod,
    findings: Sequence[int] | None = None,
    *,
    chunk: int = CHUNK,
    **options: Any,
) -> Attribution:
    """The maps of several findings of a batch, by any method.

    Whatever happens, also when the network raises: modules are in the mode they were in (they run in evaluation mode
    meanwhile), no parameter's `grad` or `requires_grad` is touched, no hook is left, and torch's random numbers go on
    where they were.

    Args:
        model: The network.
        inputs: float32 [n, channels, height, width] in model-input space.
        method: A name of `method_names`, or a method.
        findings: Indices of the findings; None for all.
        chunk: Most images, or variants of images, in one pass: what bounds the memory.
        options: Of the method, where a name is given.

    Returns:
        The maps. Those of a batch are those of its images one by one, and those of all findings those of each alone.

    Raises:
        UsageError: There is no such method (code "unknown-cam-method").
        InvalidValueError: The inputs are no batch, `chunk` is below 1, or there is no such finding.
        ModelError: The network cannot be explained by this method (code "cam-method").
    """
    chosen = build_method(method, **options) if isinstance(method, str) else method
    values = np.array(inputs, dtype=np.float32, order="C")
    if values.ndim != 4 or 0 in values.shape or chunk < 1:
        raise InvalidValueError(
            f"maps need inputs [n, channels, height, width], not {values.shape}, and a chunk over 0"
        )
    wanted = tuple(range(model.findings)) if findings is None else tuple(int(one) for one in findings)
    if not wanted or not all(0 <= one < model.findings for one in wanted):
        raise InvalidValueError(f"findings must be among the model's {model.findings}, not {list(wanted)}")
    parts = []
    with _undisturbed(model.network) as device, torch.inference_mode(False), torch.enable_grad():
        for start in range(0, len(values), chunk):
            images = torch.from_numpy(values[start : start + chunk]).to(device)
            parts.append(_checked(chosen, chosen.maps(model, images, wanted, chunk), len(images), len(wanted)))
    card = chosen.card
    return Attribution(np.concatenate(parts), card.name, INPUT if card.on_input else model.layer, card.units, wanted)


def _checked(method: CamMethod, maps: Tensor, images: int, findings: int) -> FloatArray:
    shape, finite = tuple(maps.shape), bool(torch.isfinite(maps).all())
    if maps.ndim != 4 or shape[:2] != (images, findings) or not finite:
        reason = (
            f"maps of shape {shape} for {images} images and {findings} findings" if finite else "maps without bounds"
        )
        raise ModelError(
            f"the method {method.card.name} gave {reason}",
            code="cam-method",
            next_step="Choose another method; see `medcam models methods`.",
        )
    return np.asarray(maps.detach().float().cpu().numpy(), dtype=np.float32)


@contextmanager
def _undisturbed(network: nn.Module) -> Iterator[torch.device]:
    """Evaluation mode and random numbers of its own for a while; gives the device of the network."""
    modes = [(module, module.training) for module in network.modules()]
    first = next(network.parameters(), None)
    device = torch.device("cpu") if first is None else first.device
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        try:
            for module, _ in modes:
                module.training = False
            yield device
        finally:
            for module, mode in modes:
                module.training = mode
