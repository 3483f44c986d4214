"""What an engine is, and how one is asked for.

An engine computes the backbone's layers and nothing else. Class maps, heads and logits are computed from them in
float32 by the same code whatever the engine, so that the maps add up to the logits in every result.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from torch import Tensor

from medcam.core.errors import UsageError
from medcam.core.explanation import Engine

TORCH, CUDA, MPS, OPENVINO, AUTO = "torch", "torch-cuda", "torch-mps", "openvino", "auto"
PRECISIONS = ("fp32", "bf16", "fp16")
NAMES = (AUTO, TORCH, OPENVINO, CUDA, MPS)


@runtime_checkable
class FeatureEngine(Protocol):
    """Computes layers of one network; may be called from several threads."""

    @property
    def name(self) -> str:
        """One of `NAMES` but "auto"."""
        ...

    @property
    def precision(self) -> str:
        """One of `PRECISIONS`."""
        ...

    def layers(self, images: Tensor) -> dict[str, Tensor]:
        """Outputs float32 [n, channels, h, w] of the layers that it was made for, by name, on the CPU.

        Args:
            images: float32 [n, channels, height, width] in model-input space, on the CPU.
        """
        ...


class RefusedError(Exception):
    """An engine cannot be used here, in words that go into a warning."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An engine at a precision.

    Args:
        name: One of `NAMES` but "auto".
        precision: One of `PRECISIONS`.
    """

    name: str
    precision: str

    def __str__(self) -> str:
        return f"{self.name} {self.precision}"


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


def parse_engine(text: str) -> tuple[str, str | None]:
    """Reads NAME or NAME:PRECISION, such as "auto", "openvino" or "openvino:fp32".

    Returns:
        Name and precision; None for a precision that is left to the error budget.

    Raises:
        UsageError: It is neither (code "unknown-engine").
    """
    name, colon, precision = text.strip().lower().partition(":")
    fits = name in NAMES and (precision in PRECISIONS if colon else True) and not (name == AUTO and colon)
    if not fits:
        raise UsageError(
            f"there is no engine {text!r}",
            code="unknown-engine",
            next_step="Use auto, torch or openvino; a precision may follow, such as openvino:fp32.",
        )
    return name, precision or None
