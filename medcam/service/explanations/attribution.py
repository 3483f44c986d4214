"""The maps of an attribution method, and what the reader of the result must know of it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol, runtime_checkable

from medcam.cam.exact import activation_maps
from medcam.cam.methods.attribute import attribute
from medcam.cam.methods.exact import no_class_maps
from medcam.cam.methods.model import Differentiable
from medcam.cam.methods.registry import method_card
from medcam.core.activation import CAM, ActivationMap
from medcam.core.arrays import FloatArray
from medcam.core.card import NO_HEAD, ModelCard
from medcam.core.errors import ModelError
from medcam.core.geometry import GridTransform
from medcam.core.prediction import Prediction
from medcam.core.protocols import Classifier


@runtime_checkable
class SharedNetwork(Protocol):
    """A classifier whose network several threads use."""

    def alone(self) -> AbstractContextManager[None]:
        """Keeps the others out for as long as the block lasts."""
        ...


def maps_by(
    method: str,
    classifier: Classifier,
    inputs: FloatArray,
    prediction: Prediction,
    transforms: Sequence[GridTransform],
) -> list[tuple[ActivationMap, ...]]:
    """The maps of every finding of every image of a batch.

    Exact ones come out of the prediction; any other method looks at the network, in fp32, whatever engine predicted.

    Args:
        method: From `medcam.service.explanations.method_choice.chosen_method`.
        classifier: The model.
        inputs: float32 [n, channels, height, width] in model-input space.
        prediction: What it said about them.
        transforms: For each image, from its source pixels to the model's input.

    Raises:
        ModelError: The model cannot be explained by this method (code "cam-method").
    """
    if method == CAM:
        if not prediction.has_maps:
            raise no_class_maps()
        return activation_maps(prediction, transforms, method=CAM, layer=classifier.card.layer)
    if not isinstance(classifier, Differentiable):
        raise ModelError(
            f"{classifier.card.name} does not let the method {method} see its network",
            code="cam-method",
            next_step="Leave the method out, or use what `load_model` returns.",
        )
    with classifier.alone() if isinstance(classifier, SharedNetwork) else nullcontext():
        made = attribute(classifier.gradient_model(), inputs, method)
    return made.activation_maps(transforms, [float(bias) for bias in prediction.biases])


def method_warnings(maps: Sequence[ActivationMap], card: ModelCard) -> tuple[str, ...]:
    """What a reader must know of the maps of a film, once for all findings: why there is no ledger, and more.

    Args:
        maps: Of one film, all by one method.
        card: Of the model.
    """
    method = maps[0].method
    if method == CAM:
        words = {one.relation.words: None for one in maps if one.relation and not one.ledger}
        return tuple(f"no ledger of evidence: the logit is {reason}" for reason in words)
    about = method_card(method)
    why = "this model has no class activation maps, and " if card.head == NO_HEAD else ""
    told = [
        f"maps by {about.title} ({about.source}) of the {maps[0].layer} layer: no ledger of evidence, since {why}only "
        "class activation maps add up to the logit; regions are by the paper's rule alone, and colours are scaled to "
        "each image"
    ]
    if not about.specific:
        told.append(f"{about.title} asks no finding: the map is the same for all of them")
    if about.control:
        told.append(f"{about.title} is a control that is known to be bad: never read it as an explanation")
    return tuple(told)
