"""What an engine is.

An engine computes the backbone's layers and nothing else. Class maps, heads and logits are computed from them in
float32 by the same code whatever the engine, so that the maps add up to the logits in every result.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from torch import Tensor

from medcam.core.explanation import Engine


@runtime_checkable
class FeatureEngine(Protocol):
    """Computes layers of one network; may be called from several threads."""

    @property
    def name(self) -> str:
        """One of `names.NAMES` but "auto"."""
        ...

    @property
    def precision(self) -> str:
        """One of `names.PRECISIONS`."""
        ...

    def layers(self, images: Tensor) -> dict[str, Tensor]:
        """Outputs float32 [n, channels, h, w] of the layers that it was made for, by name, on the CPU.

        Args:
            images: float32 [n, channels, height, width] in model-input space, on the CPU.
        """
        ...


class RefusedError(Exception):
    """An engine cannot be used here, in words that go into a warning."""


@dataclass(frozen=True, eq=False)
class Chosen:
    """The engine that a model runs on.

    Args:
        features: It.
        record: What is written into every explanation.
        warnings: What was asked for and is not used, and why: part of every result.
        notes: The same, and what was tried and not taken because a better one did not keep to the error budget.
    """

    features: FeatureEngine = field(repr=False)
    record: Engine
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
