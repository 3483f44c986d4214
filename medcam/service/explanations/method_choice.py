"""Which attribution method explains a model."""

from __future__ import annotations

from medcam.cam.methods.registry import method_name
from medcam.core.activation import CAM
from medcam.core.card import NO_HEAD, ModelCard

WITHOUT_CLASS_MAPS = "hirescam"
"""The method for a network that makes no class maps: of those that need no pooling head the one that is signed, in
logit units, and exact wherever one linear layer follows the features (Draelos and Carin 2020)."""


def chosen_method(method: str | None, card: ModelCard) -> str:
    """The method that is used.

    Args:
        method: A name of `medcam.cam.methods.registry.method_names`; None for the model's own.
        card: Of the model: the exact class activation map where its head makes one, else `WITHOUT_CLASS_MAPS`.

    Raises:
        UsageError: There is no such method (code "unknown-cam-method").
    """
    if method is None:
        return WITHOUT_CLASS_MAPS if card.head == NO_HEAD else CAM
    return method_name(method)
