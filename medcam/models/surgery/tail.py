"""The tail of a network, step by step, and whether it is global average pooling and one linear layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from torch import Tensor, nn

from medcam.core.errors import ModelError

NO_TAIL = "no-gap-tail"
REPLACE = "Give replace=True for a new linear layer, which has to be trained."
NAME_A_LAYER = (
    "Name the layer whose output is to be pooled with layer=, and give replace=True for a new linear layer, "
    "which has to be trained."
)


class Kind(StrEnum):
    """What a step of a tail does."""

    LINEAR = "a linear layer"
    SHAPE = "a change of shape"
    IDLE = "dropout, which does nothing in use"
    MEAN = "average pooling"
    MAXIMUM = "max pooling"
    CURVE = "an activation or a norm"
    ATTENTION = "attention"
    OTHER = "something else"


MODULES: tuple[tuple[Kind, tuple[type[nn.Module], ...]], ...] = (
    (Kind.LINEAR, (nn.Linear,)),
    (Kind.SHAPE, (nn.Flatten, nn.Unflatten)),
    (Kind.IDLE, (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.AlphaDropout, nn.FeatureAlphaDropout, nn.Identity)),
    (Kind.MEAN, (nn.AdaptiveAvgPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool1d, nn.AvgPool1d)),
    (Kind.MAXIMUM, (nn.AdaptiveMaxPool2d, nn.MaxPool2d, nn.AdaptiveMaxPool1d, nn.MaxPool1d)),
    (Kind.CURVE, (nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.ELU, nn.SELU, nn.GELU, nn.SiLU, nn.Mish, nn.Hardswish)),
    (Kind.CURVE, (nn.Tanh, nn.Sigmoid, nn.Hardsigmoid, nn.LogSigmoid, nn.Softplus, nn.Softmax, nn.LogSoftmax)),
    (Kind.CURVE, (nn.BatchNorm1d, nn.LayerNorm)),
    (Kind.ATTENTION, (nn.MultiheadAttention, nn.Transformer, nn.TransformerEncoder, nn.TransformerEncoderLayer)),
)

_WORDS = {
    Kind.LINEAR: "linear",
    Kind.SHAPE: "flatten view reshape squeeze unsqueeze contiguous",
    Kind.IDLE: "dropout dropout_ alpha_dropout feature_alpha_dropout",
    Kind.MEAN: "mean adaptive_avg_pool2d avg_pool2d adaptive_avg_pool1d avg_pool1d",
    Kind.MAXIMUM: "max amax adaptive_max_pool2d max_pool2d adaptive_max_pool1d max_pool1d",
    Kind.CURVE: "relu relu_ leaky_relu elu selu gelu silu mish hardswish tanh sigmoid hardsigmoid logsigmoid softplus "
    "softmax log_softmax batch_norm layer_norm",
    Kind.ATTENTION: "scaled_dot_product_attention multi_head_attention_forward matmul bmm baddbmm einsum",
}
FUNCTIONS = {word: kind for kind, words in _WORDS.items() for word in words.split()}
"""By the names of functions of torch and methods of tensors."""


def module_kind(module: nn.Module) -> Kind:
    """What a module does."""
    return next((kind for kind, types in MODULES if isinstance(module, types)), Kind.OTHER)


@dataclass(frozen=True, eq=False)
class Step:
    """One step of a tail.

    Attributes:
        kind: What it does.
        name: Of the layer or function, for messages.
        weight: [outputs, inputs] of a linear layer.
        bias: [outputs] of a linear layer that has one.
    """

    kind: Kind
    name: str
    weight: Tensor | None = None
    bias: Tensor | None = None

    @classmethod
    def of_module(cls, name: str, module: nn.Module) -> Step:
        """The step of a module."""
        if isinstance(module, nn.Linear):
            return cls(Kind.LINEAR, name, module.weight, module.bias)
        return cls(module_kind(module), name)


def is_map(shape: Sequence[int] | None) -> bool:
    """Whether a shape is [n, c, h, w] with h and w above 1."""
    return shape is not None and len(shape) == 4 and shape[2] > 1 and shape[3] > 1


def refusal(reason: str, next_step: str) -> ModelError:
    """Why a network cannot be given a GAP head."""
    return ModelError(f"this network cannot be given a GAP head: {reason}", code=NO_TAIL, next_step=next_step)


def check_kept(steps: Sequence[Step], *, complete: bool) -> Step:
    """The one linear layer of a tail whose weights can be kept.

    Args:
        steps: From the last feature map to the output, in order.
        complete: Whether these are all steps; otherwise pooling may be among those that are not known.

    Raises:
        ModelError: The tail is not global average pooling and one linear layer (code "no-gap-tail").
    """
    check_removable(steps)
    kinds = [step.kind for step in steps]
    linear = [step for step in steps if step.kind is Kind.LINEAR]
    if Kind.MAXIMUM in kinds:
        name = steps[kinds.index(Kind.MAXIMUM)].name
        raise refusal(f"it pools by the maximum ({name}), whose logit is no sum over the map", REPLACE)
    if len(linear) != 1:
        count = "no linear layer follows" if not linear else f"{len(linear)} linear layers follow"
        names = f": {', '.join(step.name for step in linear)}" if linear else ""
        raise refusal(f"{count} its last feature map, and one is needed to keep its weights{names}", REPLACE)
    if Kind.CURVE in kinds:
        where = "after" if kinds.index(Kind.CURVE) > kinds.index(Kind.LINEAR) else "before"
        name = steps[kinds.index(Kind.CURVE)].name
        raise refusal(f"{name} comes {where} its linear layer, so that the map would not add up", REPLACE)
    if complete and Kind.MEAN not in kinds[: kinds.index(Kind.LINEAR)]:
        raise refusal("its last feature map goes into the linear layer without being pooled", REPLACE)
    return linear[0]


def check_removable(steps: Sequence[Step]) -> None:
    """Checks that nothing but pooling, linear layers and what goes with them would be cut off.

    Raises:
        ModelError: There is something else in the tail (code "no-gap-tail").
    """
    for step in steps:
        if step.kind is Kind.ATTENTION:
            reason = f"after its last feature map comes attention ({step.name}), as in a transformer"
            raise refusal(reason, "Maps of transformers need another method; give a convolutional network.")
    for step in steps:
        if step.kind is Kind.OTHER:
            reason = f"{step.name} comes after its last feature map of more than one cell"
            raise refusal(reason, f"Give probe= a larger input, if the map shrinks to one cell. Or: {NAME_A_LAYER}")
