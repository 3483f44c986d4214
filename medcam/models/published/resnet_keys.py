"""ResNets as torchvision, timm, torchxrayvision and MONAI name their tensors: MONAI's names are the same."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

from medcam.models.published.mapped import Mapped, tail_of
from medcam.models.published.refusals import misfit

FIRST = "conv1.weight"

_BLOCK = re.compile(r"layer([1-4])\.(\d+)\..+")
_STANDARD: dict[tuple[str, tuple[int, ...]], str] = {
    ("basic", (2, 2, 2, 2)): "resnet18",
    ("basic", (3, 4, 6, 3)): "resnet34",
    ("bottleneck", (3, 4, 6, 3)): "resnet50",
}
_WIDTHS = [64, 128, 256, 512]


def is_resnet(tensors: Mapping[str, Tensor]) -> bool:
    """Whether the names are those of a ResNet."""
    return FIRST in tensors and "layer4.0.conv1.weight" in tensors


def map_resnet(tensors: Mapping[str, Tensor]) -> Mapped:
    """The same tensors, with the biases that MONAI's shortcuts have and others lack as zeros.

    Args:
        tensors: From `mapped.stripped`.

    Raises:
        ModelError: They are not those of a ResNet (code "unknown-layout").
    """
    body = {name: value for name, value in tensors.items() if not name.startswith("fc.")}
    left = [name for name in body if not _BLOCK.fullmatch(name) and name.partition(".")[0] not in ("conv1", "bn1")]
    if left:
        raise misfit(f"{left[0][:80]} is no part of a ResNet")
    if tuple(tensors[FIRST].shape[2:]) != (7, 7):
        raise misfit("a ResNet with another first convolution")
    shape = _blocks(body)
    kind = "bottleneck" if "layer1.0.conv3.weight" in body else "basic"
    widths = [int(body[f"layer{stage}.0.conv1.weight"].shape[0]) for stage in range(1, 5)]
    name = _STANDARD.get((kind, shape)) if widths == _WIDTHS else None
    options = {"block": kind, "layers": list(shape), "block_inplanes": widths}
    return Mapped(
        backbone=name or "resnet",
        options={} if name else options,
        tensors=_with_biases(body),
        first=FIRST,
        layer="layer4",
        tail=tail_of(tensors, "fc"),
    )


def _blocks(body: Mapping[str, Tensor]) -> tuple[int, ...]:
    """How many blocks each stage has."""
    counts = [0] * 4
    for name in body:
        found = _BLOCK.fullmatch(name)
        if found and len(found[2]) < 4:
            counts[int(found[1]) - 1] = max(counts[int(found[1]) - 1], int(found[2]) + 1)
    if min(counts) < 1 or max(counts) > 100 or any(f"layer{n}.0.conv1.weight" not in body for n in range(1, 5)):
        raise misfit("a ResNet whose layers are not all there")
    return tuple(counts)


def _with_biases(body: Mapping[str, Tensor]) -> dict[str, Tensor]:
    made = dict(body)
    for name, value in body.items():
        if name.endswith("downsample.0.weight"):
            made.setdefault(name.replace("weight", "bias"), value.new_zeros(value.shape[0]))
    return made
