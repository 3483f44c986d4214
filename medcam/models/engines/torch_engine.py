"""Torch, with the memory layout and the precision that suit the device."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from medcam.core.card import ModelCard
from medcam.models.backbones import Backbone, build_backbone
from medcam.models.engines.engine import RefusedError
from medcam.models.engines.names import TORCH, Candidate
from medcam.models.engines.torch_reference import Layers

DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


class TorchEngine:
    """A copy of a network on a device, channels last; see `FeatureEngine`. Below fp32 it runs under autocast.

    Args:
        backbone: The copy; it is moved.
        names: The layers wanted.
        candidate: Name and precision.
    """

    def __init__(self, backbone: Backbone, names: Sequence[str], candidate: Candidate) -> None:
        self.name, self.precision = candidate.name, candidate.precision
        self._device = torch.device(device_of(candidate.name))
        layers = Layers(backbone, names).eval().requires_grad_(False)
        self._layers = layers.to(device=self._device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    def layers(self, images: Tensor) -> dict[str, Tensor]:
        """As `FeatureEngine.layers`."""
        given = images.to(device=self._device, memory_format=torch.channels_last)
        with torch.autocast(
            self._device.type, dtype=DTYPES.get(self.precision), enabled=self.precision in DTYPES, cache_enabled=False
        ):
            outputs = self._layers(given)
        made = (output.float().cpu().contiguous() for output in outputs)
        return dict(zip(self._layers.names, made, strict=True))


def device_of(name: str) -> str:
    """The device of an engine's name: "cpu" of "torch", "cuda" of "torch-cuda"."""
    return name.removeprefix(TORCH).removeprefix("-") or "cpu"


def copied(backbone: Backbone, card: ModelCard) -> Backbone:
    """A copy of a backbone that shares nothing with it.

    The functions of the package's own backbones hold on to the network they were made with, so that a deep copy would
    run the old one: they are built again from the card.

    Raises:
        RefusedError: The card does not describe the network.
    """
    if type(backbone) is not Backbone:
        return copy.deepcopy(backbone)
    options: dict[str, Any] = {name: value for name, value in card.backbone_options.items() if name != "head"}
    options.setdefault("in_channels", card.input.channels)
    try:
        twin = build_backbone(card.backbone, **options)
        twin.load_state_dict(backbone.state_dict())
    except Exception as error:
        # Whatever a constructor says of options that are not its own; the network itself goes on without a copy.
        raise RefusedError("the network cannot be copied: its card does not describe it") from error
    twin.train(backbone.training)
    _check_apart(backbone, twin)
    return twin


def _check_apart(one: Backbone, other: Backbone) -> None:
    own = {value.data_ptr() for value in itertools.chain(one.parameters(), one.buffers()) if value.numel()}
    if any(value.data_ptr() in own for value in itertools.chain(other.parameters(), other.buffers()) if value.numel()):
        raise RefusedError("the network cannot be copied: its copy shares its weights")
