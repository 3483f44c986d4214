"""Fine-tuning: a network goes on from another of its kind, with what that one knew of the findings they share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from medcam.core.errors import UsageError
from medcam.models.classifier import GapClassifier
from medcam.models.tail_head import TailHead
from medcam.models.training.losses import MapParameters

_BY_FINDING = ("head.weight", "head.bias", "units.weight", "units.bias")
"""Tensors with one row per finding."""


@dataclass(frozen=True, slots=True)
class Inherited:
    """What was taken over.

    Args:
        tensors: How many tensors, those of the findings left out.
        findings: Findings whose class weights went on; the others start anew.
    """

    tensors: int
    findings: tuple[str, ...]


@torch.no_grad()
def inherit(
    classifier: GapClassifier,
    parameters: MapParameters,
    names: Sequence[str],
    source: GapClassifier,
    source_names: Sequence[str],
) -> Inherited:
    """Takes over the weights of another network of the same architecture, in place.

    Class weights, unit and bias of a finding that both know go on; before its first step the network then says of these
    findings what the other one says, but for evidence that went by way of units of findings that are left out. What is
    new keeps its random start.

    Args:
        classifier: The network to train, its head's bias zero.
        parameters: Its scale and biases.
        names: Its findings.
        source: The network to start from.
        source_names: Its findings.

    Raises:
        UsageError: The other one has no pooling head, or is of another architecture (code `training-start`).
    """
    own, given = classifier.state_dict(), source.state_dict()
    shared = {name: value for name, value in given.items() if name not in _BY_FINDING}
    if isinstance(source.head, TailHead) or source.head.nonnegative or type(source.head) is not type(classifier.head):
        raise _refusal("it does not end in a pooling head whose class weights can be trained")
    if set(own) != set(given) or any(own[name].shape != value.shape for name, value in shared.items()):
        raise _refusal("its layers are not those of the network to train")
    kept = [name for name in names if name in source_names]
    ours = torch.tensor([names.index(name) for name in kept], dtype=torch.long)
    theirs = torch.tensor([source_names.index(name) for name in kept], dtype=torch.long)
    if classifier.units is not None:
        for name in ("units.weight", "units.bias"):
            own[name][ours] = given[name][theirs]
    scale = parameters.scale.to(given["head.weight"].device)
    own["head.weight"][ours] = _columns(
        classifier, own["head.weight"][ours], given["head.weight"][theirs], ours, theirs
    )
    own["head.weight"][ours] /= scale[ours, None]
    parameters.gap_bias[ours] = given["head.bias"][theirs]
    classifier.load_state_dict(own | shared)
    return Inherited(len(shared), tuple(kept))


def _columns(classifier: GapClassifier, own: Tensor, given: Tensor, ours: Tensor, theirs: Tensor) -> Tensor:
    """Class weights of the findings that go on; with a unit per finding their columns are findings too."""
    if classifier.units is None:
        return given.clone()
    # A new finding's unit says nothing of the old ones yet.
    weights = torch.zeros_like(own)
    weights[:, ours] = given[:, theirs]
    return weights


def _refusal(reason: str) -> UsageError:
    return UsageError(
        f"this model cannot be gone on from: {reason}",
        code="training-start",
        next_step="Start from a model whose card names a pooling head, such as `phantom`.",
    )
