"""What an attribution method is, and what it says of itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Protocol, runtime_checkable

from medcam.cam.methods.model import GradientModel

if TYPE_CHECKING:
    from torch import Tensor


class Units(StrEnum):
    """What the numbers of a map are."""

    LOGIT = "logit"
    """Logit units: they may be compared between films, and have the sign of what they do to the logit."""
    GRADIENT = "logit per unit of input"
    """What the logit would gain per unit of the model's input."""
    NONE = "none"
    """No unit: order within one map is all that they tell."""


@dataclass(frozen=True, slots=True)
class MethodCard:
    """What a reader of a map may ask about its method.

    Args:
        name: In the registry.
        title: As the literature spells it.
        source: Author, year and equation.
        units: Of the map's values.
        signed: Whether evidence against a finding shows, as values below 0.
        gradient: Whether it needs a backward pass.
        passes: Work per film beside the forward pass that gives the logits, in words.
        adds_up: What the map's values add up to; empty for nothing.
        weakness: What it is known to get wrong, with the literature.
        specific: Whether the map differs between findings.
        on_input: Whether it looks at the input itself; otherwise at the output of a layer.
        control: Whether it is here because it is known to be bad: a control for sanity checks, never for reading.
    """

    name: str
    title: str
    source: str
    units: Units
    signed: bool
    gradient: bool
    passes: str
    weakness: str
    adds_up: str = ""
    specific: bool = True
    on_input: bool = False
    control: bool = False


@runtime_checkable
class CamMethod(Protocol):
    """Makes the maps of several findings for a batch. Call it through `medcam.cam.methods.attribute`, which guards it.

    An implementation keeps no state, leaves the network as it found it, draws no random numbers, and treats every
    image of a batch as if it were alone.
    """

    card: ClassVar[MethodCard]

    def maps(self, model: GradientModel, images: Tensor, findings: Sequence[int], chunk: int) -> Tensor:
        """Raw maps [n, findings, h, w], neither scaled nor shifted.

        Args:
            model: The network, in evaluation mode; gradients are enabled.
            images: [n, channels, height, width], n at most `chunk`.
            findings: Indices of the findings, in the order of the result.
            chunk: Most images, or variants of images, in one pass: what bounds the memory.
        """
        ...
