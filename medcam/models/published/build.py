"""From a foreign network's tensors to one of ours: every tensor used, shapes checked, nameless outputs left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from medcam.core.card import NO_HEAD, FindingCard, InputRecipe, ModelCard
from medcam.core.errors import ModelError, UsageError
from medcam.models.classifier import GapClassifier, build_classifier
from medcam.models.published.folding import fold_grey
from medcam.models.published.mapped import Mapped
from medcam.models.published.refusals import misfit
from medcam.models.published.tails import head_options

_UNUSED = ("class_layers.out.weight", "class_layers.out.bias", "fc.weight", "fc.bias")
"""MONAI's own linear layer, which our head takes the place of."""
_MAPS = "No class activation maps: several linear layers follow its pooling. Other maps do not add up to its logits."


@dataclass(frozen=True)
class Meaning:
    """What the tensors do not tell.

    Args:
        findings: Of the outputs in order; None for one that has no meaning and is left out.
        side: Rows and columns of the input.
        mean: Of each of the network's channels, for brightness 0..1.
        std: Of each channel.
        activation: Between several linear layers of the tail, where the checkpoint does not tell.
        about: Further fields of the card: version, origin, licence, limits and so on.
    """

    findings: Sequence[FindingCard | None]
    side: int
    mean: Sequence[float]
    std: Sequence[float]
    activation: str | None = None
    about: Mapping[str, object] = field(default_factory=dict)


def build_model(mapped: Mapped, kinds: Mapping[str, str], meaning: Meaning) -> tuple[GapClassifier, ModelCard]:
    """Makes a classifier with its card.

    Args:
        mapped: The foreign tensors.
        kinds: Classes of modules by name, where the checkpoint tells them.
        meaning: What the tensors do not tell.

    Returns:
        The network in fp32, in evaluation mode; the card has no digest yet.

    Raises:
        UsageError: There are not as many findings as outputs (code "checkpoint-findings").
        ModelError: Shapes do not fit ("unknown-layout"), or its tail has no exact maps and is not known well enough for
            others ("no-gap-tail").
    """
    kept = [number for number, finding in enumerate(meaning.findings) if finding is not None]
    if len(meaning.findings) != mapped.outputs or not kept:
        raise UsageError(
            f"the network has {mapped.outputs} outputs, and {len(meaning.findings)} are named",
            code="checkpoint-findings",
            next_step='Name each output in order with --finding, "-" for one that means nothing.',
        )
    head = head_options(mapped.tail, kinds, meaning.activation)
    folded = fold_grey(mapped.tensors[mapped.first], meaning.mean, meaning.std)
    options: dict[str, object] = dict(mapped.options)
    if folded.constant_channel:
        options["constant_channel"] = True
    if head:
        options["head"] = head
    about = dict(meaning.about)
    if head:
        about["limits"] = (_MAPS, *_texts(about.get("limits", ())))
    card = ModelCard(
        findings=tuple(finding for finding in meaning.findings if finding is not None),
        input=InputRecipe(
            meaning.side, meaning.side, intensity="display", fit="crop", black=folded.black, white=folded.white
        ),
        backbone=mapped.backbone,
        backbone_options=options,
        head=NO_HEAD if head else "gap",
        layer=mapped.layer,
        **about,  # type: ignore[arg-type]
    )
    return _filled(card, {**mapped.tensors, mapped.first: folded.weight}, mapped, kept), card


def _texts(values: object) -> tuple[str, ...]:
    return tuple(str(value) for value in values) if isinstance(values, list | tuple) else ()


def _filled(card: ModelCard, tensors: Mapping[str, Tensor], mapped: Mapped, kept: Sequence[int]) -> GapClassifier:
    try:
        classifier = build_classifier(card)
    except (ModelError, ValueError, TypeError, RuntimeError) as error:
        raise misfit("no such network can be built") from error
    state = {f"backbone.network.{name}": value for name, value in tensors.items()} | _head(mapped, kept)
    own = classifier.state_dict()
    for name in own.keys() - state.keys():
        if name.removeprefix("backbone.network.") in _UNUSED or name.endswith("num_batches_tracked"):
            state[name] = torch.zeros_like(own[name])
        else:
            raise misfit(f"{name} is missing")
    for name, value in state.items():
        if name not in own:
            raise misfit(f"{name[:80]} is not part of the network")
        if own[name].shape != value.shape:
            raise misfit(f"{name} is {tuple(value.shape)} instead of {tuple(own[name].shape)}")
    classifier.load_state_dict(state)
    return classifier.float().eval()


def _head(mapped: Mapped, kept: Sequence[int]) -> dict[str, Tensor]:
    *hidden, (weight, bias) = mapped.tail.linear
    made = {"head.weight": weight[list(kept)], "head.bias": bias[list(kept)]}
    for number, (inner, shift) in enumerate(hidden):
        made |= {f"head.hidden.{number}.weight": inner, f"head.hidden.{number}.bias": shift}
    return made
