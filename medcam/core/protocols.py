"""What the parts ask of each other, without knowing each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from medcam.core.arrays import FloatArray
from medcam.core.card import ModelCard
from medcam.core.explanation import Engine
from medcam.core.geometry import GridTransform
from medcam.core.prediction import Prediction
from medcam.core.radiograph import Radiograph


@dataclass(frozen=True, eq=False)
class ModelInput:
    """A radiograph prepared for a model: float32 [channels, height, width], and where it lies in the source."""

    values: FloatArray = field(repr=False)
    transform: GridTransform


@runtime_checkable
class Classifier(Protocol):
    """A multi-label chest X-ray classifier with class activation maps."""

    @property
    def card(self) -> ModelCard:
        """The model's card."""
        ...

    def prepare(self, radiograph: Radiograph) -> ModelInput:
        """Turns a radiograph into the model's input by the card's recipe."""
        ...

    def predict(self, inputs: FloatArray) -> Prediction:
        """Logits and maps of float32 [n, channels, height, width] in model-input space, one forward pass."""
        ...

    def out_of_distribution(self, inputs: FloatArray, prediction: Prediction) -> FloatArray | None:
        """Scores float32 [n], higher is stranger; None when the model has no such gate."""
        ...


@runtime_checkable
class OnEngine(Protocol):
    """A classifier that can say what computes its maps; one that cannot is taken to be torch in fp32."""

    @property
    def engine(self) -> Engine:
        """Name, precision, and how far it was from torch in fp32."""
        ...

    @property
    def engine_warnings(self) -> tuple[str, ...]:
        """Which engine was asked for and is not used, and why: part of every result."""
        ...

    @property
    def engine_notes(self) -> tuple[str, ...]:
        """The same, and what was tried and left for a better precision: part of the record of a run."""
        ...
