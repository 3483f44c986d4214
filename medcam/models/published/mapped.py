"""A foreign network's tensors under the names of the MONAI network that they fit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor

from medcam.models.published.refusals import misfit

PREFIXES = ("module.", "_orig_mod.", "model.", "network.", "net.", "backbone.", "densenet121.", "resnet50.")
"""What training programs wrap a network in; taken off where every tensor has it."""
NOT_NEEDED = ("num_batches_tracked", "op_threshs")
"""Last words of the names of tensors that inference does not need."""
BESIDE = re.compile(r"(criterion|loss(_fn|_function)?|metrics?|((train|val|valid|test)_\w+))\.")
"""How names begin that a LightningModule keeps beside its network: losses and metrics have no part in a logit."""


@dataclass(frozen=True)
class Tail:
    """What follows the pooling.

    Attributes:
        linear: (weight [outputs, inputs], bias [outputs]) of each linear layer, in order.
        names: Of these layers, as the checkpoint has them.
        others: Names of tensors in the tail that belong to something else, such as a norm.
    """

    linear: tuple[tuple[Tensor, Tensor], ...]
    names: tuple[str, ...]
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class Mapped:
    """A network that is known.

    Attributes:
        backbone: Name for `medcam.models.backbones.build_backbone`.
        options: Its options but for the number of channels.
        tensors: Of the backbone, as `Backbone.network` names them.
        first: Name of the first convolution's weight among them.
        layer: Name of the layer whose output is pooled.
        tail: What follows.
    """

    backbone: str
    options: Mapping[str, object]
    tensors: Mapping[str, Tensor]
    first: str
    layer: str
    tail: Tail = field(repr=False)

    @property
    def channels(self) -> int:
        """Channels of the input."""
        return int(self.tensors[self.first].shape[1])

    @property
    def outputs(self) -> int:
        """How many logits it gives."""
        return int(self.tail.linear[-1][0].shape[0])


def stripped(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors that inference needs, floating point in fp32, without what all their names begin with."""
    found = {
        name: value
        for name, value in tensors.items()
        if name.rpartition(".")[2] not in NOT_NEEDED and not BESIDE.match(name)
    }
    again = True
    while again and found:
        again = False
        for prefix in PREFIXES:
            if all(name.startswith(prefix) for name in found):
                found, again = {name.removeprefix(prefix): value for name, value in found.items()}, True
    if any(not value.dtype.is_floating_point for value in found.values()):
        raise misfit("some weights are whole numbers")
    return {name: value.float() for name, value in found.items()}


def tail_of(tensors: Mapping[str, Tensor], prefix: str) -> Tail:
    """The tail whose tensors begin with `prefix`.

    Raises:
        ModelError: It has no linear layer, or one without weights (code "unknown-layout").
    """
    own = {name: value for name, value in tensors.items() if name.startswith(f"{prefix}.")}
    names = [
        name.removesuffix(".weight") for name, value in own.items() if name.endswith(".weight") and value.ndim == 2
    ]
    names.sort(key=lambda name: [int(word) if word.isdigit() else -1 for word in name.split(".")])
    if not names:
        raise misfit(f"no linear layer is called {prefix}")
    linear = []
    for name in names:
        weight = own.pop(f"{name}.weight")
        linear.append((weight, own.pop(f"{name}.bias", weight.new_zeros(weight.shape[0]))))
    return Tail(tuple(linear), tuple(names), tuple(own))
