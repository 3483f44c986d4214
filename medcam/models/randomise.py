"""Networks with the weights of chosen layers made random, for sanity checks of maps (Adebayo et al. 2018)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

_ENOUGH = 5
"""Parts from which on a network is not taken apart further."""


def layers_from_output(network: nn.Module, images: Tensor) -> list[str]:
    """Names of the parts with weights, from the output to the input, in the order in which a pass runs them.

    Children are taken apart until there are enough of them; parts that a pass does not run are left out.

    Args:
        network: In evaluation mode.
        images: An input of it, [n, channels, height, width].
    """
    parts = dict(network.named_children())
    while len(_weighted(parts)) < _ENOUGH and any(next(part.children(), None) is not None for part in parts.values()):
        parts = {
            f"{name}.{inner}" if inner else name: module
            for name, part in parts.items()
            for inner, module in (list(part.named_children()) or [("", part)])
        }
    ran: dict[str, None] = {}
    handles = [
        # A pass of a part that is run twice counts at its first run.
        part.register_forward_hook(lambda *_, name=name: ran.setdefault(name))
        for name, part in _weighted(parts).items()
    ]
    try:
        with torch.no_grad():
            network(images)
    finally:
        for handle in handles:
            handle.remove()
    return list(ran)[::-1]


def deciding_head(network: nn.Module, layers: Sequence[str]) -> int:
    """How many parts from the output on have to be random for a map's order to be able to change.

    A head that weighs a single feature has one number per finding: another one scales the map or turns its sign, and
    leaves ranks as they are. Then the part before it belongs to the head, and so on.

    Args:
        network: The network.
        layers: Names of `layers_from_output`.
    """
    for place, name in enumerate(layers):
        weights = [value for key, value in network.get_submodule(name).named_parameters() if value.ndim > 1]
        if any(value[0].numel() > 1 for value in weights):
            return place + 1
    return len(layers)


@contextmanager
def random_weights(network: nn.Module, layers: Sequence[str], seed: int) -> Iterator[None]:
    """Gives the named parts the weights that they would have before training, for as long as the block lasts.

    In place, since a copy of a network may still call the original's layers; afterwards every parameter and buffer is
    what it was, to the bit. Parts without an initialisation of their own get normal values of the spread that theirs
    had. Torch's random numbers stay as they were.

    Args:
        network: The network; nobody else may use it meanwhile.
        layers: Names of `layers_from_output`.
        seed: Of the weights.
    """
    kept = {name: value.clone() for name, value in network.state_dict().items()}
    try:
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            torch.manual_seed(seed)
            for name in layers:
                for module in network.get_submodule(name).modules():
                    _reset(module)
        yield
    finally:
        network.load_state_dict(kept)


def _reset(module: nn.Module) -> None:
    reset = getattr(module, "reset_parameters", None)
    if callable(reset):
        reset()
        return
    for value in module.parameters(recurse=False):
        spread = float(value.std()) if value.numel() > 1 else float(value.abs())
        value.copy_(torch.randn_like(value) * spread)


def _weighted(parts: dict[str, nn.Module]) -> dict[str, nn.Module]:
    return {name: part for name, part in parts.items() if next(part.parameters(), None) is not None}
