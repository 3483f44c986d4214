"""Guided back-propagation: a control that is known to be bad, for sanity checks. Not for reading."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from medcam.cam.methods.grids import summed
from medcam.cam.methods.method import MethodCard, Units
from medcam.cam.methods.model import GradientModel
from medcam.cam.methods.registry import register_method

_RELUS: frozenset[Callable[..., Any]] = frozenset((F.relu, F.relu_, torch.relu, torch.relu_, Tensor.relu, Tensor.relu_))
_IN_PLACE: frozenset[Callable[..., Any]] = frozenset((F.relu_, torch.relu_, Tensor.relu_))


@register_method
@dataclass(frozen=True)
class GuidedBackpropagation:
    """Guided back-propagation (Springenberg et al. 2015, section 3.4): the gradient, cut at 0 at each ReLU on its way.

    Every ReLU of the network is met, be it a module or a function; other activations keep their gradient. Summed over
    channels and over the cells of a grid.

    Args:
        cells: Cells of the map along the input's longer side; as many as pixels, or more, for a map of pixels.
    """

    card: ClassVar[MethodCard] = MethodCard(
        name="guided-backprop",
        title="Guided back-propagation",
        source="Springenberg et al. 2015, sect. 3.4",
        units=Units.GRADIENT,
        signed=True,
        gradient=True,
        passes="1 forward, 1 backward per finding",
        weakness="a known-bad control, never for reading: it restores the edges of the film whatever the network has "
        "learnt (Nie et al. 2018), and hardly changes when the weights are made random (Adebayo et al. 2018)",
        on_input=True,
        control=True,
    )

    cells: int = 32

    def maps(self, model: GradientModel, images: Tensor, findings: Sequence[int], chunk: int) -> Tensor:
        """As `CamMethod.maps`."""
        del chunk
        inputs = images.detach().requires_grad_()
        with _GuidedRelus():
            logits = model.logits(inputs)
        result = []
        for place, finding in enumerate(findings):
            last = place == len(findings) - 1
            (gradient,) = torch.autograd.grad(logits[:, finding].sum(), inputs, retain_graph=not last)
            result.append(summed(gradient.sum(dim=1), self.cells))
        return torch.stack(result, dim=1)


class _GuidedRelu(torch.autograd.Function):
    """ReLU whose gradient passes where input and gradient are both positive."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:  # noqa: ANN401  torch's own context
        ctx.save_for_backward(values > 0)
        return values.clamp_min(0.0)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Tensor:  # noqa: ANN401  torch's own context
        (open_,) = ctx.saved_tensors
        result: Tensor = gradients[0].clamp_min(0.0) * open_
        return result


class _GuidedRelus(TorchFunctionMode):
    """Puts guided ReLUs in the place of all ReLUs that are called meanwhile; no module is touched."""

    def __torch_function__(
        self, func: Callable[..., Any], types: object, args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:  # noqa: ANN401  whatever torch's functions take and give
        given = kwargs or {}
        if func not in _RELUS:
            return func(*args, **given)
        values = args[0] if args else given["input"]
        guided = _GuidedRelu.apply(values)  # type: ignore[no-untyped-call]
        in_place = func in _IN_PLACE or given.get("inplace", len(args) > 1 and bool(args[1]))
        return values.copy_(guided) if in_place else guided
