"""Finding and cutting a tail where no graph can be had: by watching which layers are run for a probe."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from medcam.core.errors import ModelError
from medcam.models.surgery.cut import Cut, check_output, no_map, shape_of, unused
from medcam.models.surgery.tail import NAME_A_LAYER, NO_TAIL, Kind, Step, is_map, module_kind, refusal


@dataclass(frozen=True, slots=True)
class Call:
    """One run of one module: its name, and the shapes of what went in and came out."""

    name: str
    module: nn.Module
    before: tuple[int, ...] | None
    after: tuple[int, ...] | None

    @property
    def leaf(self) -> bool:
        """Whether it is a layer by itself: no modules within, or one of torch's own, such as a transformer's."""
        return not any(self.module.children()) or module_kind(self.module) is not Kind.OTHER

    @property
    def pools(self) -> bool:
        """Whether a map goes in and it is pooled."""
        return is_map(self.before) and module_kind(self.module) in (Kind.MEAN, Kind.MAXIMUM)


class _Reached(Exception):  # noqa: N818  no fault: the map that was wanted is there
    def __init__(self, features: Tensor) -> None:
        super().__init__()
        self.features = features


class _Stop(nn.Module):
    """Stands in the place of a layer and ends the pass: behind the layer, or before it where there is none within."""

    def __init__(self, layer: nn.Module | None) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, *inputs: Any, **options: Any) -> Tensor:
        raise _Reached(inputs[0] if self.layer is None else self.layer(*inputs, **options))


class Stopped(nn.Module):
    """Runs a network up to a `_Stop` in it. No hook: what stops the pass is a module of the network.

    Args:
        network: With a `_Stop` somewhere.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        """Features of images [n, c, height, width].

        Raises:
            ModelError: The pass took another way than the probe had taken (code "no-gap-tail").
        """
        try:
            self.network(images)
        except _Reached as reached:
            return reached.features
        raise ModelError(
            "the network did not come by the layer behind which it was cut",
            code=NO_TAIL,
            next_step="Give inputs of the kind and size of the probe.",
        )


@torch.no_grad()
def watch(network: nn.Module, probe: Tensor) -> list[Call]:
    """All runs of modules for a probe, in the order in which they end; the hooks end with this call."""
    calls: list[Call] = []

    def noting(name: str) -> Callable[[nn.Module, tuple[Any, ...], object], None]:
        def note(module: nn.Module, inputs: tuple[Any, ...], output: object) -> None:
            calls.append(Call(name, module, shape_of(inputs[0]) if inputs else None, shape_of(output)))

        return note

    hooks = [module.register_forward_hook(noting(name)) for name, module in network.named_modules() if name]
    try:
        network(probe)
    finally:
        for hook in hooks:
            hook.remove()
    return calls


def cut_walked(network: nn.Module, probe: Tensor, output: object, layer: str | None, *, fresh: bool) -> Cut:
    """Cuts a network behind its last feature map; arguments, result and errors as in `cut_traced`.

    The network is changed: a module of it ends the pass. What happens between layers cannot be seen; whoever keeps the
    linear layer has to compare the logits.
    """
    calls = watch(network, probe)
    once = {name for name, count in Counter(call.name for call in calls).items() if count == 1}
    if layer is not None and fresh:
        named = [call for call in calls if call.name == layer]
        if len(named) != 1:
            raise unused(layer)
        if not is_map(named[0].after):
            raise no_map(f"behind {layer}")
        return _behind(network, named[0], (), named=True)
    check_output(output)
    maps = [place for place, call in enumerate(calls) if is_map(call.after) and call.name in once]
    while maps and fresh and calls[maps[-1]].pools:
        maps.pop()
    if not maps:
        raise no_map()
    last = maps[-1]
    tail = [call for call in calls[last + 1 :] if call.leaf]
    steps = tuple(Step.of_module(call.name, call.module) for call in tail)
    if layer not in (None, calls[last].name):
        raise refusal(f"{layer} is not what its linear layer sees, pooled", NAME_A_LAYER)
    if tail and tail[0].pools and tail[0].name in once and not fresh:
        return _before(network, tail[0], calls[last].name, steps)
    return _behind(network, calls[last], steps, named=False)


def _behind(network: nn.Module, call: Call, steps: tuple[Step, ...], *, named: bool) -> Cut:
    assert call.after is not None
    network.set_submodule(call.name, _Stop(call.module))
    _forget(network, steps)
    return Cut(Stopped(network), call.name, call.after, steps, named, complete=False)


def _before(network: nn.Module, call: Call, layer: str, steps: tuple[Step, ...]) -> Cut:
    assert call.before is not None
    network.set_submodule(call.name, _Stop(None))
    _forget(network, steps)
    return Cut(Stopped(network), layer, call.before, steps, named=False, complete=False)


def _forget(network: nn.Module, steps: tuple[Step, ...]) -> None:
    """Takes the tail's linear layers out, which are never reached again and may be large."""
    for step in steps:
        if step.kind is Kind.LINEAR:
            network.set_submodule(step.name, nn.Identity())
