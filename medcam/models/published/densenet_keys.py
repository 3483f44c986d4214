"""DenseNets as torchxrayvision, torchvision, timm, CheXNet and MONAI name their tensors, under MONAI's names."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

from medcam.models.published.mapped import Mapped, tail_of
from medcam.models.published.refusals import misfit

FIRST, LAST = "features.conv0.weight", "features.norm5.weight"
TAILS = ("classifier", "class_layers.out", "fc")

_OLD = re.compile(r"\.(norm|conv)\.([12])\.")
"""As torchvision named the parts of a dense layer before 0.3."""
_LAYER = re.compile(r"(features\.denseblock(\d+)\.denselayer(\d+))\.(?:layers\.)?((?:norm|conv)[12]\..+)")
_STANDARD = {"init_features": 64, "growth_rate": 32, "block_config": [6, 12, 24, 16], "bn_size": 4}


def is_densenet(tensors: Mapping[str, Tensor]) -> bool:
    """Whether the names are those of a DenseNet."""
    return FIRST in tensors and LAST in tensors


def map_densenet(tensors: Mapping[str, Tensor]) -> Mapped:
    """The same tensors under MONAI's names.

    Args:
        tensors: From `mapped.stripped`.

    Raises:
        ModelError: They are not those of a DenseNet (code "unknown-layout").
    """
    named = {_monai(name): value for name, value in tensors.items()}
    features = {name: value for name, value in named.items() if name.startswith("features.")}
    prefix = next((tail for tail in TAILS if any(name.startswith(f"{tail}.") for name in named)), None)
    if prefix is None:
        raise misfit("a DenseNet without a linear layer")
    left = [name for name in named if name not in features and not name.startswith(f"{prefix}.")]
    if left:
        raise misfit(f"{left[0][:80]} is no part of a DenseNet")
    options = _options(features)
    known = options == _STANDARD
    return Mapped(
        backbone="densenet121" if known else "densenet",
        options={} if known else options,
        tensors=features,
        first=FIRST,
        layer="class_layers.relu",
        tail=tail_of(named, prefix),
    )


def _monai(name: str) -> str:
    found = _LAYER.fullmatch(_OLD.sub(r".\1\2.", name))
    return f"{found[1]}.layers.{found[4]}" if found else name


def _options(features: Mapping[str, Tensor]) -> dict[str, object]:
    """The constructor's options, read off the shapes."""
    blocks: dict[int, int] = {}
    for name in features:
        found = _LAYER.fullmatch(name)
        if found:
            blocks[int(found[2])] = max(blocks.get(int(found[2]), 0), int(found[3]))
    try:
        if sorted(blocks) != list(range(1, len(blocks) + 1)) or not 2 <= len(blocks) <= 8 or max(blocks.values()) > 100:
            raise misfit("a DenseNet with other blocks")
        first = features["features.denseblock1.denselayer1.layers.conv1.weight"]
        growth = int(features["features.denseblock1.denselayer1.layers.conv2.weight"].shape[0])
        return {
            "init_features": int(features[FIRST].shape[0]),
            "growth_rate": growth,
            "block_config": [blocks[number] for number in sorted(blocks)],
            "bn_size": int(first.shape[0]) // max(1, growth),
        }
    except (KeyError, IndexError) as error:
        raise misfit("a DenseNet whose layers are not all there") from error
