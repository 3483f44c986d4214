"""A network as it is, with its own tail: a classifier that makes no class activation maps."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from medcam.core.arrays import FloatArray
from medcam.core.card import NO_HEAD, FindingCard, InputRecipe, ModelCard
from medcam.core.errors import ModelError
from medcam.core.prediction import Prediction
from medcam.core.protocols import ModelInput
from medcam.core.radiograph import Radiograph
from medcam.core.relation import Relation
from medcam.models.gradient import HookedNetwork, last_map_layer
from medcam.models.preprocess import checked_inputs, prepare


class ForeignModel:
    """A network whose tail is no pooling head, behind the project's `Classifier` protocol.

    It gives logits and no maps; those come from an attribution method that looks at one of its layers.

    Args:
        network: The network, in evaluation mode.
        card: Its card, whose head is "none" and whose layer is that of `network`.
    """

    def __init__(self, network: HookedNetwork, card: ModelCard) -> None:
        self._network, self._card = network, card

    @property
    def card(self) -> ModelCard:
        """The model's card."""
        return self._card

    def prepare(self, radiograph: Radiograph) -> ModelInput:
        """Turns a radiograph into float32 [channels, height, width] by the card's recipe."""
        return prepare(radiograph, self._card.input)

    @torch.inference_mode()
    def predict(self, inputs: FloatArray) -> Prediction:
        """One forward pass: logits, and the mean of each channel of the layer; no maps.

        Raises:
            InvalidValueError: The inputs have another shape than the card's recipe.
        """
        logits, features = self._network.both(checked_inputs(inputs, self._card.input))
        count = len(self._card.findings)
        return Prediction(
            logits=logits.float().numpy(),
            maps=np.zeros((len(logits), count, 0, 0), dtype=np.float32),
            biases=np.zeros(count, dtype=np.float32),
            features=features.float().mean(dim=(2, 3)).numpy(),
            relation=Relation.UNSTATED,
        )

    def out_of_distribution(self, inputs: FloatArray, prediction: Prediction) -> FloatArray | None:
        """None: it has no gate."""
        del inputs, prediction
        return None

    def gradient_model(self) -> HookedNetwork:
        """The network, cut at its layer."""
        return self._network


def wrap_network(
    network: nn.Module,
    findings: Sequence[str | FindingCard],
    input_recipe: InputRecipe,
    *,
    layer: str | None = None,
    name: str = "foreign",
    version: str = "0",
) -> ForeignModel:
    """Makes a model of a network as it is, where `with_gap_head` cannot be used: all but its maps are its own.

    Args:
        network: Images [n, channels, height, width] to logits [n, findings]; left as it is, a copy is used.
        findings: Names or cards of the outputs, in order.
        input_recipe: How a film becomes its input.
        layer: Name of the module at whose output methods look; None for the last one that gives a map. An activation
            that is called as a function has no name: choose a network that has it as a module, if that matters.
        name: Of the model.
        version: Of its weights.

    Returns:
        A classifier, fp32, on the CPU, in evaluation mode. Its weights' digest is that of their names and values.

    Raises:
        ModelError: The network does not give one logit per finding for such inputs ("foreign-network"), or the layer
            cannot be looked at ("cam-layer").
    """
    own = copy.deepcopy(network).cpu().float().eval().requires_grad_(False)
    probe = torch.zeros(1, input_recipe.channels, input_recipe.height, input_recipe.width)
    cards = tuple(one if isinstance(one, FindingCard) else FindingCard(one) for one in findings)
    _check(own, probe, len(cards))
    place = last_map_layer(own, probe) if layer is None else layer
    hooked = HookedNetwork(own, place, len(cards))
    with torch.no_grad():
        hooked.features(probe)
    card = ModelCard(
        name=name,
        version=version,
        findings=cards,
        input=input_recipe,
        backbone=type(network).__name__,
        head=NO_HEAD,
        layer=place,
        weights_sha256=_digest(own),
        limits=("It has no class activation maps: its maps do not add up to its logits.",),
    )
    return ForeignModel(hooked, card)


@torch.no_grad()
def _check(network: nn.Module, probe: Tensor, findings: int) -> None:
    try:
        output = network(probe)
    except Exception as error:
        raise _refusal(f"it does not take an input of {' x '.join(map(str, probe.shape))}: {error}") from error
    if not isinstance(output, Tensor) or tuple(output.shape) != (1, findings):
        told = f"an output of shape {tuple(output.shape)}" if isinstance(output, Tensor) else type(output).__name__
        raise _refusal(f"it gives {told}, not {findings} logits per film")


def _refusal(reason: str) -> ModelError:
    return ModelError(
        f"this network cannot be used as it is: {reason}",
        code="foreign-network",
        next_step="Name as many findings as it has outputs, and the input that it is made for.",
    )


def _digest(network: nn.Module) -> str:
    digest = hashlib.sha256()
    for name, value in sorted(network.state_dict().items()):
        digest.update(f"{name} {tuple(value.shape)} {value.dtype}\n".encode())
        digest.update(value.contiguous().numpy().tobytes())
    return digest.hexdigest()
