"""A classifier ready for use: network, card and gate behind the project's `Classifier` protocol."""

from __future__ import annotations

import torch
from torch import Tensor

from medcam.core.arrays import FloatArray
from medcam.core.card import ModelCard
from medcam.core.explanation import Engine
from medcam.core.prediction import Prediction
from medcam.core.protocols import ModelInput
from medcam.core.radiograph import Radiograph
from medcam.models.classifier import ClassifierOutput, GapClassifier
from medcam.models.engines.engine import Chosen
from medcam.models.engines.torch_reference import ReferenceEngine
from medcam.models.gate import Gate
from medcam.models.gradient import SplitNetwork
from medcam.models.preprocess import checked_inputs, prepare


class LoadedModel:
    """A `GapClassifier` with its card, in evaluation mode and fp32.

    Args:
        classifier: The network.
        card: Its card.
        gate: Its out-of-distribution gate, None for none.

    Attributes:
        network: The network itself, fp32, on the CPU, whatever engine predicts.
        chosen: What computes its features in `predict`; the network itself but for `engines.choose.with_engine`.
    """

    def __init__(self, classifier: GapClassifier, card: ModelCard, gate: Gate | None = None) -> None:
        self.network = classifier.float().eval().requires_grad_(False)
        self._card, self._gate = card, gate
        self.chosen: Chosen = self.reference()

    @property
    def layers_read(self) -> tuple[str, ...]:
        """The backbone's layers that a prediction is made of."""
        return (self.network.backbone.layer,)

    def reference(self) -> Chosen:
        """Eager torch in fp32, which every engine is measured against."""
        return Chosen(ReferenceEngine(self.network.backbone, self.layers_read), Engine())

    @property
    def engine(self) -> Engine:
        """What computes the maps, as explanations tell it."""
        return self.chosen.record

    @property
    def engine_warnings(self) -> tuple[str, ...]:
        """Which engine was asked for and is not used, and why: part of every result."""
        return self.chosen.warnings

    @property
    def engine_notes(self) -> tuple[str, ...]:
        """The same, and what was tried and left for a better precision."""
        return self.chosen.notes

    @property
    def card(self) -> ModelCard:
        """The model's card."""
        return self._card

    @property
    def gate(self) -> Gate | None:
        """Its out-of-distribution gate, None for none."""
        return self._gate

    def prepare(self, radiograph: Radiograph) -> ModelInput:
        """Turns a radiograph into float32 [channels, height, width] by the card's recipe."""
        return prepare(radiograph, self._card.input)

    @torch.inference_mode()
    def predict(self, inputs: FloatArray) -> Prediction:
        """One forward pass: logits and maps of all findings.

        Args:
            inputs: float32 [n, channels, height, width] in model-input space.

        Returns:
            Logits in float32, pooled from the maps by the head; for a GAP head logits = mean(maps) + biases.

        Raises:
            InvalidValueError: The inputs have another shape than the card's recipe.
        """
        return self.prediction(self.read(self.checked(inputs))[0])

    def read(self, images: Tensor) -> tuple[ClassifierOutput, dict[str, Tensor]]:
        """Features by the engine, all that follows from them by the network's own tail in float32.

        Args:
            images: From `checked`.

        Returns:
            What the network gives, and the layers [n, k, h, w] that it was made of by name, the head's among them.
        """
        found = self.chosen.features.layers(images)
        output = self.network.read(found[self.network.backbone.layer])
        return output, {**found, self.network.layer: output.features}

    def checked(self, inputs: FloatArray) -> Tensor:
        """Inputs as a tensor, once their shape was found to be the card's; raises as `predict`."""
        return checked_inputs(inputs, self._card.input)

    def gradient_model(self) -> SplitNetwork:
        """The network for attribution methods, cut where the head reads."""
        return SplitNetwork(self.network)

    def prediction(self, output: ClassifierOutput) -> Prediction:
        """What the network gave, as values of the project."""
        return Prediction(
            logits=output.logits.numpy(),
            maps=output.maps.numpy(),
            biases=self.network.head.bias.numpy(),
            features=output.features.mean(dim=(2, 3)).numpy(),
            pooled=output.pooled.numpy(),
            relation=self.network.head.relation,
        )

    def out_of_distribution(self, inputs: FloatArray, prediction: Prediction) -> FloatArray | None:
        """Scores float32 [n], higher is stranger; None when the model has no gate."""
        return (
            None
            if self._gate is None
            else self._gate.score(prediction.features if prediction.pooled is None else prediction.pooled)
        )
