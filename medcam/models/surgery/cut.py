"""What is left of a network when its tail is cut off, however that was found out."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from medcam.core.errors import ModelError
from medcam.models.surgery.tail import NAME_A_LAYER, Step, refusal


@dataclass(frozen=True, eq=False)
class Cut:
    """A network in two parts.

    Attributes:
        features: From images [n, c, height, width] to its last feature map [n, channels, h, w].
        layer: Name of the layer whose output the features are.
        shape: Of the features of the probe.
        steps: The tail that was cut off, in order.
        named: Whether the place was named by the caller, who then answers for what is cut off.
        complete: Whether the steps are all there are; functions between layers may be missing otherwise.
    """

    features: nn.Module
    layer: str
    shape: tuple[int, ...]
    steps: tuple[Step, ...]
    named: bool
    complete: bool = True


def shape_of(value: object) -> tuple[int, ...] | None:
    """The shape of a tensor; None for anything else."""
    return tuple(value.shape) if isinstance(value, Tensor) else None


def check_output(value: object) -> None:
    """Checks that a network's own output is one table of scores.

    Raises:
        ModelError: It is something else (code "no-gap-tail").
    """
    shape = shape_of(value)
    if shape is None:
        raise refusal(f"its output is no tensor but a {type(value).__name__}", NAME_A_LAYER)
    if len(shape) != 2:
        raise refusal(f"its output has {len(shape)} axes, where scores have two", NAME_A_LAYER)


def no_map(where: str = "before its tail") -> ModelError:
    """The refusal of a network that has no feature map to pool."""
    return refusal(
        f"there is no feature map [n, c, h, w] of more than one cell {where}",
        "Give a convolutional network, or probe= a larger input.",
    )


def unused(layer: str) -> ModelError:
    """The refusal of a layer that the network does not run, or not where a cut can be made."""
    return refusal(f"{layer} is not run in its forward pass, or is run more than once", NAME_A_LAYER)
